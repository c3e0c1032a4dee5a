-- Records that an index is about to be made or dropped, unless something else is under way on it. What this very run has under way (it
-- lost its connection and began again) it takes over.
INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, before, outcome, reason, undo_of)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'applying', $8, $9)
    ON CONFLICT (target) WHERE outcome = 'applying'
       DO UPDATE SET id = excluded.id, kind = excluded.kind, cause = excluded.cause, before = excluded.before,
                     reason = excluded.reason, undo_of = excluded.undo_of
       WHERE actions.run_id = excluded.run_id
RETURNING id
