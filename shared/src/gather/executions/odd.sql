-- Executions that are known and whose status is not, the newest of each status.
SELECT status, count(*) AS count, (array_agg(execution_arn ORDER BY started_at DESC))[1:5] AS some
  FROM remediation.executions
 WHERE status NOT IN ('RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE')
 GROUP BY status
 ORDER BY count(*) DESC, status
 LIMIT 10
