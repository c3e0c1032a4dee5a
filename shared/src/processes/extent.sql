-- How many rows a sweep is about: the open ones and those closed since $1; and since when there is an open row whose
-- execution is not known.
SELECT count(*),
       min({created_at}) FILTER (WHERE {status} IN ({open}) AND NOT EXISTS (
           SELECT FROM remediation.executions e WHERE e.process_id = {id}))
  FROM {table} p
 WHERE {status} IN ({open}) OR coalesce({completed_at}, {updated_at}) > $1
