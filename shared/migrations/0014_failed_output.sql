-- Of an execution that succeeded, whether its output says that it failed (design, 1); NULL where the output is not known.
ALTER TABLE remediation.executions ADD COLUMN says_failed boolean;
