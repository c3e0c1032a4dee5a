-- What a run has to tell, and with $3 whatever else waits to be told: each with how many came meanwhile, and whether it is time. Locked in
-- one order, so that of all containers one tells it.
SELECT t.step, t.kind, t.more, coalesce(t.told_at <= now() - t.every, true) AS is_due
  FROM remediation.told t
 WHERE (t.step, t.kind) IN (SELECT * FROM unnest($1::text[], $2::text[]))
    OR $3 AND t.more > 0 AND coalesce(t.told_at <= now() - t.every, true)
 ORDER BY t.step, t.kind
   FOR UPDATE
