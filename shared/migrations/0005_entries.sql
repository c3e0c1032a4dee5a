-- An entry that is `applying` knows until when the run that wrote it can be alive (Lambda's deadline): from then on it is resolved by looking.
ALTER TABLE remediation.actions ADD COLUMN alive_until timestamptz;

-- Those of an earlier build: longer than any Lambda lives.
UPDATE remediation.actions SET alive_until = created_at + interval '16 minutes' WHERE outcome = 'applying';

-- What a run did, in its order: the undo of a whole run, and a run that begins again, start from it.
CREATE INDEX actions_of_a_run ON remediation.actions (run_id, created_at);

-- A plan is a document (design, 6.12): what a step wanted, in every mode, and could not or may not do by itself. Nothing of it changes but
-- what became of it.
ALTER TABLE remediation.plans
    ADD COLUMN mode          text NOT NULL DEFAULT 'propose' CHECK (mode IN ('observe', 'propose', 'act')),
    -- What was looked at: everything, or what an operator or an event named.
    ADD COLUMN scope         text NOT NULL DEFAULT 'all',
    -- Of all that is wanted, without images and times: the same wish again has the same one.
    ADD COLUMN digest        uuid,
    -- Of the kinds of changes and their orders of magnitude: people hear of it when this is another one.
    ADD COLUMN shape         uuid,
    -- The plan that it replaces.
    ADD COLUMN parent        uuid,
    -- The build that made it.
    ADD COLUMN build         text,
    -- How many changes of which kind and terms; `actions` has each of them, or of very many a sample.
    ADD COLUMN groups        jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN wanted        bigint,
    ADD COLUMN complete      boolean NOT NULL DEFAULT true,
    -- How often it was wanted, and when last.
    ADD COLUMN seen          integer NOT NULL DEFAULT 1,
    ADD COLUMN seen_at       timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN superseded_at timestamptz,
    ADD COLUMN superseded_by uuid,
    -- Approved, and all that was left of it done.
    ADD COLUMN done_at       timestamptz;

-- Plans of an earlier build say less: what they want is wanted again by the next run.
UPDATE remediation.plans SET done_at = approved_at, superseded_at = CASE WHEN approved_at IS NULL THEN now() END;

CREATE UNIQUE INDEX plans_waiting ON remediation.plans (step, scope, mode) WHERE superseded_at IS NULL AND done_at IS NULL;
CREATE INDEX plans_of_a_step ON remediation.plans (step, seen_at DESC);

-- What was wanted, change by change, in every mode.
CREATE VIEW remediation.wanted AS
SELECT p.id AS plan_id, p.run_id, p.step, p.mode, p.created_at, p.seen_at, p.wanted AS of, p.reason AS waits_on, p.approved_at,
       a ->> 'kind' AS kind, a ->> 'target' AS target, a -> 'before' AS before, a -> 'after' AS after, a ->> 'why' AS why
  FROM remediation.plans p, jsonb_array_elements(p.actions) a;

-- A run that wanted to change nothing has nothing to verify.
ALTER TABLE remediation.runs DROP CONSTRAINT runs_verification_check;
ALTER TABLE remediation.runs ADD CONSTRAINT runs_verification_check
    CHECK (verification IN ('verified', 'failed', 'unverified', 'not-applicable'));
