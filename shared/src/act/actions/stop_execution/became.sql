-- As the execution was last seen. One that succeeded would have been stopped in the midst of its work.
SELECT w.step, w.kind, w.target, e.status AS now,
       CASE WHEN e.status IN ('RUNNING', 'PENDING_REDRIVE') THEN 'open'
            WHEN e.status = 'SUCCEEDED' THEN 'otherwise'
            WHEN e.status IS NOT NULL THEN 'right'
       END AS became
  FROM wanted w
  LEFT JOIN remediation.executions e ON e.execution_arn = w.target
 WHERE w.kind = ANY ({kinds})
