-- How many rows a sweep is about: the open ones and those closed since $1; how many of them are open, and how many executions run; and
-- since when there is a row among them of which no execution is known although its execution would be this sweep's business.
SELECT count(*),
       count(*) FILTER (WHERE {status} IN ({open})),
       (SELECT count(*) FROM remediation.executions r WHERE r.status = 'RUNNING'),
       min({created_at}) FILTER (WHERE {status} IN ({looked for}) AND NOT EXISTS (
           SELECT FROM remediation.executions e WHERE e.process_id = {id}))
  FROM {table} p
 WHERE {status} IN ({open}) OR coalesce({completed_at}, {updated_at}) > $1
