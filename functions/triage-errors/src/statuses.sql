-- What became of processes that the log speaks of.
SELECT {id} AS id, CASE WHEN {has failed} THEN 'FAILED' WHEN {is cancelled} THEN 'CANCELLED' ELSE {status}::text END AS status
  FROM {table} p
 WHERE {id} = ANY ($1)
