-- What runs have begun that can no longer be alive (Lambda ends them), of these kinds; and the undos of such. The clocks may differ by a
-- little. Found by the partial index of what is under way.
SELECT a.id, a.run_id, a.step, coalesce(o.kind, a.kind) AS kind, a.target, a.cause, a.before, a.after, o.id AS undoes
  FROM remediation.actions a
  LEFT JOIN remediation.actions o ON o.id = CASE WHEN a.kind = $2 THEN a.cause::uuid END
 WHERE a.outcome = 'applying'
   AND coalesce(o.kind, a.kind) = ANY ($1)
   AND coalesce(a.alive_until, a.created_at + interval '16 minutes') < now() - interval '5 seconds'
 ORDER BY a.created_at
