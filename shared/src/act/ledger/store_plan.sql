-- Stores a plan in the place of the one of the same scope that waits.
WITH superseded AS (
    UPDATE remediation.plans SET superseded_at = clock_timestamp(), superseded_by = $1
     WHERE step = $3 AND scope = $7 AND mode = $6 AND superseded_at IS NULL AND done_at IS NULL
 RETURNING 1
)
INSERT INTO remediation.plans
       (id, run_id, step, actions, reason, mode, scope, digest, shape, parent, build, groups, wanted, complete)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
  -- Counted first, so that the other one has gone when this one comes: of each scope at most one waits.
  FROM (SELECT count(*) FROM superseded) gone
