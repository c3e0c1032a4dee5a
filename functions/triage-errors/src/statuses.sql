-- What became of processes that the log speaks of.
SELECT {id} AS id, CASE WHEN {status} IN ({failed}) THEN 'FAILED' ELSE {status}::text END AS status
  FROM {table} p
 WHERE {id} = ANY ($1)
