-- The last retry that was let through while the breaker was open, and what its execution came to.
SELECT a.created_at AS begun_at, a.outcome = 'applying' AS applying, 
       CASE WHEN e.status = 'SUCCEEDED' AND e.says_failed IS TRUE THEN 'FAILED' ELSE e.status END AS status, e.started_at, e.stopped_at
  FROM remediation.actions a
  LEFT JOIN remediation.executions e ON e.execution_arn = a.after ->> 'executionArn'
 WHERE a.step = $3 AND a.kind = $1 AND a.cause = $2 AND a.outcome IN ('applying', 'applied') AND a.created_at > now() - interval '1 day'
 ORDER BY a.created_at DESC
 LIMIT 1
