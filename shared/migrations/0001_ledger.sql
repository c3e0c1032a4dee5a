-- What every step records before, while and after it acts (design, section 7). Nothing of the application's is touched.

CREATE SCHEMA IF NOT EXISTS remediation;

COMMENT ON SCHEMA remediation IS 'Ledger and knowledge of the auto-remediation; made by its migrate function.';

-- One invocation of one step: why it ran, what it found, how far it came.
CREATE TABLE remediation.runs (
    id           uuid PRIMARY KEY,
    step         text NOT NULL,
    mode         text CHECK (mode IN ('observe', 'propose', 'act')),
    trigger      jsonb NOT NULL,
    reason       text,
    started_at   timestamptz NOT NULL DEFAULT now(),
    finished_at  timestamptz,
    summary      text,
    applied      integer NOT NULL DEFAULT 0,
    findings     jsonb NOT NULL DEFAULT '[]',
    skipped      jsonb NOT NULL DEFAULT '[]',
    verification text CHECK (verification IN ('verified', 'failed', 'unverified')),
    -- Where the next run goes on, when this one met its deadline.
    cursor       jsonb,
    error        text
);

CREATE INDEX runs_of_a_step ON remediation.runs (step, started_at DESC);
CREATE INDEX runs_that_acted ON remediation.runs (step, started_at DESC) WHERE applied > 0;
CREATE INDEX runs_to_go_on ON remediation.runs (step, started_at DESC) WHERE cursor IS NOT NULL;

-- One change to one target. `applying` stands there before the change is made.
CREATE TABLE remediation.actions (
    id          uuid PRIMARY KEY,
    run_id      uuid NOT NULL,
    step        text NOT NULL,
    kind        text NOT NULL,
    target      text COLLATE "C" NOT NULL,
    cause       text,
    before      jsonb,
    after       jsonb,
    outcome     text NOT NULL CHECK (outcome IN ('applying', 'applied', 'failed', 'superseded')),
    reason      text NOT NULL,
    undo_of     uuid,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at   timestamptz
);

CREATE INDEX actions_on_a_target ON remediation.actions (target);
-- One change at a time to one target, whichever function or container wants it.
CREATE UNIQUE INDEX actions_under_way ON remediation.actions (target) WHERE outcome = 'applying';
CREATE UNIQUE INDEX actions_undone_once ON remediation.actions (undo_of) WHERE undo_of IS NOT NULL;
-- The ledger only grows at its end, so a block range index finds the last hour at a hundredth of a B-tree's cost.
CREATE INDEX actions_by_time ON remediation.actions USING brin (created_at) WITH (pages_per_range = 16);

-- What a step wants and may not do by itself.
CREATE TABLE remediation.plans (
    id          uuid PRIMARY KEY,
    run_id      uuid NOT NULL,
    step        text NOT NULL,
    actions     jsonb NOT NULL,
    reason      text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    approved_at timestamptz,
    approved_by uuid
);

-- What is known of executions: filled from every status event and from ListExecutions.
CREATE TABLE remediation.executions (
    -- By bytes, as the functions order executions that were started at the same moment.
    execution_arn text COLLATE "C" PRIMARY KEY,
    process_id    uuid,
    status        text NOT NULL CHECK (status IN
                      ('RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE')),
    redrive_count integer NOT NULL DEFAULT 0,
    started_at    timestamptz NOT NULL,
    redriven_at   timestamptz,
    stopped_at    timestamptz,
    error         text,
    cause         text,
    -- Whether error and cause are known: ListExecutions does not tell them.
    ending_known  boolean NOT NULL DEFAULT false,
    seen_at       timestamptz NOT NULL DEFAULT now()
);

-- Orders what is known of one execution between two redrives: a running one ends, an ended one may be redriven.
CREATE FUNCTION remediation.rank(status text) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE status WHEN 'RUNNING' THEN 0 WHEN 'PENDING_REDRIVE' THEN 2 ELSE 1 END;

CREATE INDEX executions_of_a_process ON remediation.executions (process_id, started_at DESC, execution_arn DESC);

CREATE INDEX executions_running ON remediation.executions (process_id) WHERE status = 'RUNNING';

-- An alarm from ALARM to OK.
CREATE TABLE remediation.incidents (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    alarm      text NOT NULL,
    reason     text,
    opened_at  timestamptz NOT NULL,
    closed_at  timestamptz
);

CREATE UNIQUE INDEX incidents_open ON remediation.incidents (alarm) WHERE closed_at IS NULL;

-- What an installation allows a step: a lower mode, other limits. An operator's own table.
CREATE TABLE remediation.controls (
    step             text PRIMARY KEY,
    mode             text CHECK (mode IN ('observe', 'propose', 'act')),
    actions_per_run  integer CHECK (actions_per_run >= 0),
    actions_per_hour integer CHECK (actions_per_hour >= 0),
    share            double precision CHECK (share BETWEEN 0 AND 1),
    reason           text,
    updated_at       timestamptz NOT NULL DEFAULT now()
);
