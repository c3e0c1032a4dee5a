-- A status that AWS adds one day is kept as it is: the process of such an execution is left alone, whatever its row says, until this
-- system knows what the status means (design, 5).
ALTER TABLE remediation.executions DROP CONSTRAINT executions_status_check;

CREATE INDEX executions_odd ON remediation.executions (status)
 WHERE status NOT IN ('RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE');
