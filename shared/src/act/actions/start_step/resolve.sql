-- Closes the starts of steps that were left open. A started run's record has the starting run in its reason; clocks may differ by a little.
UPDATE remediation.actions a
   SET outcome = CASE WHEN ran THEN 'applied' ELSE 'failed' END, closed_at = clock_timestamp(),
       after = CASE WHEN ran THEN '{"status": "ran"}'::jsonb END,
       reason = a.reason || ' — ' || CASE WHEN ran THEN $2 ELSE $3 END
  FROM (SELECT o.id,
               -- A value, for which the index on step and time is asked; an EXISTS may be answered by reading all runs once.
               (SELECT count(*) > 0 FROM remediation.runs r
                 WHERE r.step = substr(o.target, length('step ') + 1) AND r.started_at > o.created_at - interval '1 minute'
                   AND strpos(r.reason, '(run ' || o.run_id || ')') > 0) AS ran
          FROM remediation.actions o
         WHERE o.id = ANY ($1)) open
 WHERE a.id = open.id AND a.outcome = 'applying'
