-- When a sweep last asked Step Functions for an execution that was past its deadline and still ran.
ALTER TABLE remediation.executions ADD COLUMN looked_up_at timestamptz;
