-- The record has an end, and stays quick until then (design, 6.4): whatever is counted, looked up or forgotten is found by index,
-- however old the ledger is.

-- The last hour's entries of a step. A block range index has to read every page that no vacuum has summarised yet, which is a fifth of
-- a large ledger, and knows nothing of time any more once the pages of forgotten entries are written again.
DROP INDEX remediation.actions_by_time;
CREATE INDEX actions_of_a_step ON remediation.actions (step, created_at);

-- Some targets have a history without end: the worker, a step that is started again and again.
DROP INDEX remediation.actions_on_a_target;
CREATE INDEX actions_on_a_target ON remediation.actions (target, created_at);

CREATE INDEX runs_that_did_nothing ON remediation.runs (step, started_at)
 WHERE applied = 0 AND verification IS DISTINCT FROM 'failed';

-- What an event, or a person, started for one process: its story.
CREATE INDEX runs_about_a_process ON remediation.runs ((trigger ->> 'processId')) WHERE trigger ->> 'processId' IS NOT NULL;
CREATE INDEX runs_about_an_execution ON remediation.runs ((trigger ->> 'executionArn')) WHERE trigger ->> 'executionArn' IS NOT NULL;

CREATE INDEX plans_by_time ON remediation.plans (seen_at);
CREATE INDEX plans_never_approved ON remediation.plans (seen_at) WHERE approved_at IS NULL;
CREATE INDEX plans_of_a_run ON remediation.plans (run_id);

CREATE INDEX incidents_of_an_alarm ON remediation.incidents (alarm, closed_at);
CREATE INDEX incidents_by_end ON remediation.incidents (closed_at);

CREATE INDEX leases_ended ON remediation.leases (ended_at);
CREATE INDEX leases_in_place_of ON remediation.leases (supersedes) WHERE supersedes IS NOT NULL;

CREATE INDEX executions_over ON remediation.executions (started_at) WHERE status NOT IN ('RUNNING', 'PENDING_REDRIVE');

CREATE INDEX refused_writes_by_time ON remediation.refused_writes (refused_at);
