-- How many rows wait for their start: no execution is known to run for them. An index on open rows is enough to find them.
SELECT count(*)
  FROM {rows} p
 WHERE {status} IN ({open}) AND {status} IN ({pending})
   AND NOT EXISTS (SELECT FROM remediation.executions e WHERE e.process_id = {id text} AND e.status = 'RUNNING')
