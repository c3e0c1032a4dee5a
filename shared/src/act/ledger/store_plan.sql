INSERT INTO remediation.plans
       (id, run_id, step, actions, reason, mode, scope, digest, shape, parent, build, groups, wanted, complete)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
