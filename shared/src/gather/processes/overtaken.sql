  -- Executions that still run although a newer one of the same process was started.
  JOIN remediation.executions e ON {id} = {as id e.process_id} AND e.status = 'RUNNING'
 WHERE EXISTS (SELECT FROM remediation.executions newer
                WHERE newer.process_id = e.process_id
                  AND (newer.started_at, newer.execution_arn) > (e.started_at, e.execution_arn))
