-- How many rows wait for their start: no execution is known to run for them. An index on open rows is enough to find them.
SELECT count(*)
  FROM {table} p
 WHERE {status} IN ({open}) AND {status} IN ({pending})
   AND NOT EXISTS (SELECT FROM remediation.executions e WHERE e.process_id = {id} AND e.status = 'RUNNING')
