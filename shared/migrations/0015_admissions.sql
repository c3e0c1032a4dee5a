-- The limits of a step hold over all of its runs, those too that are at work at the same time (design, 6.2): a run is told what the others
-- have left of them, and has registered what it may do itself, in one transaction that no two runs of a step are in at once.
CREATE TABLE remediation.admissions (
    run_id      uuid PRIMARY KEY,
    step        text COLLATE "C" NOT NULL,
    -- How many actions it may make at most.
    actions     integer NOT NULL,
    -- Looks at everything, as others may at the same time. What is asked for one process has no part in a sweep's limit.
    sweeps      boolean NOT NULL,
    -- Lambda's deadline: a run that has not ended by then has crashed.
    alive_until timestamptz NOT NULL,
    ended_at    timestamptz
);

CREATE INDEX admissions_of_a_step ON remediation.admissions (step);

-- Admits a run to at most `wanted` actions. Answers with what counts against its limits: the step's actions within an hour (`lastHour`), and
-- those of the sweeps that this one overlaps (`beside`); both with what others may still do.
CREATE FUNCTION remediation.admit(run uuid, of_step text, wanted integer, is_sweep boolean, since timestamptz, until timestamptz)
    RETURNS jsonb LANGUAGE plpgsql AS
$$
DECLARE
    made bigint; admitted bigint; beside bigint; others uuid[]; hour_ago timestamptz;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('remediation:admit:' || of_step, 0));
    hour_ago := clock_timestamp() - interval '1 hour';
    -- No Lambda lives longer than a quarter of an hour: what ended before then overlaps nothing.
    DELETE FROM remediation.admissions a
     WHERE a.step = of_step AND (a.alive_until < clock_timestamp() OR a.ended_at < clock_timestamp() - interval '15 minutes');
    SELECT coalesce(sum(a.actions) FILTER (WHERE a.ended_at IS NULL), 0),
           coalesce(sum(a.actions) FILTER (WHERE a.sweeps AND is_sweep AND (a.ended_at IS NULL OR a.ended_at > since)), 0),
           coalesce(array_agg(a.run_id) FILTER (WHERE a.ended_at IS NULL), '{}')
      INTO admitted, beside, others
      FROM remediation.admissions a
     WHERE a.step = of_step AND a.run_id <> run;
    SELECT count(*) INTO made
      FROM remediation.actions a
     WHERE a.step = of_step AND a.outcome IN ('applying', 'applied') AND a.created_at > hour_ago AND a.run_id <> ALL (others);
    INSERT INTO remediation.admissions AS a (run_id, step, actions, sweeps, alive_until)
    VALUES (run, of_step, wanted, is_sweep, until)
        ON CONFLICT (run_id) DO UPDATE SET actions = excluded.actions, alive_until = excluded.alive_until, ended_at = NULL;
    RETURN jsonb_build_object('lastHour', made + admitted, 'beside', beside);
END
$$;

-- Quotas of AWS are the account's, not a container's: whoever calls takes a place in the queue.
CREATE TABLE remediation.paces (
    quota   text COLLATE "C" PRIMARY KEY,
    -- When all of its burst may be called again.
    full_at timestamptz NOT NULL
);
