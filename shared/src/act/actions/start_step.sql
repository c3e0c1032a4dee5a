-- Records that a step is about to be started, unless another run is about to start it. What this very run has under way (it lost its
-- connection and began again) it takes over.
INSERT INTO remediation.actions (id, run_id, step, kind, target, outcome, reason)
VALUES ($1, $2, $3, $4, $5, 'applying', $6)
    ON CONFLICT (target) WHERE outcome = 'applying'
       DO UPDATE SET id = excluded.id, reason = excluded.reason
       WHERE actions.run_id = excluded.run_id
RETURNING id
