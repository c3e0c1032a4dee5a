-- Records that an execution is about to be stopped, if the row is still the one that was decided on and nothing else is
-- under way on this execution. What this very run has under way (it lost its connection and began again) it takes over.
WITH fresh AS MATERIALIZED (
    SELECT {id} FROM {rows} p WHERE {id} = $9::{id type} AND p.xmin = $10::text::xid
), recorded AS (
    INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, before, outcome, reason, alive_until)
    SELECT $1, $2, $3, $4, $5, $6, $7, 'applying', $8, $11 FROM fresh
        ON CONFLICT (target) WHERE outcome = 'applying'
           DO UPDATE SET id = excluded.id, reason = excluded.reason, before = excluded.before
           WHERE actions.run_id = excluded.run_id
 RETURNING id
)
SELECT EXISTS (SELECT FROM fresh), (SELECT id FROM recorded)
