-- Of which processes this step has stopped an execution since $2, and done nothing to the process itself since. $3: only these executions.
SELECT DISTINCT e.process_id
  FROM remediation.actions a
  JOIN remediation.executions e ON e.execution_arn = a.target
 WHERE a.step = $1 AND a.created_at >= $2 AND a.outcome = 'applied'
   AND ($3::text[] IS NULL OR a.target = ANY ($3))
   AND e.process_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM remediation.actions c
                    WHERE c.target = e.process_id::text AND c.step = $1 AND c.created_at >= a.created_at AND c.outcome = 'applied')
