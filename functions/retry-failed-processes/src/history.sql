-- What decides about a failed process beside its row and its newest execution.
SELECT {id} AS id, left({error} ->> 'message', 2000) AS message, {superseded} AS superseded,
       (SELECT count(*) FROM remediation.executions e WHERE e.process_id = {id}) AS executions,
       (SELECT count(*) FROM remediation.actions a
         WHERE a.target = {id}::text AND a.kind = 'retry-process' AND a.outcome = 'applied') AS retries,
       EXISTS (SELECT FROM remediation.actions a WHERE a.target = {id}::text AND a.outcome = 'applying') AS busy
  FROM {table} p
 WHERE {id} = ANY ($1)
