-- What the limits are counted by, in one answer. Times are PostgreSQL's own: all containers count by one clock.
SELECT c.mode, c.actions_per_run, c.actions_per_hour, c.share,
       (SELECT count(*) FROM remediation.actions a
         WHERE a.step = $1 AND a.outcome IN ('applying', 'applied') AND a.created_at > now() - interval '1 hour'),
       (SELECT count(*) = 3 AND bool_and(r.verification = 'failed')
          FROM (SELECT verification FROM remediation.runs
                 WHERE step = $1 AND applied > 0 AND started_at > now() - interval '1 day'
                 ORDER BY started_at DESC LIMIT 3) r),
       (SELECT coalesce(jsonb_object_agg(t.target, t.facts), '{}')
          FROM (SELECT a.target,
                       jsonb_build_object(
                           'attempts', count(*) FILTER (WHERE a.step = $1 AND a.created_at > now() - interval '1 day'),
                           'secondsSinceLast',
                           extract(epoch FROM now() - max(a.created_at)
                               FILTER (WHERE a.step = $1 AND a.outcome = 'applied'))::int8,
                           'undone',
                           coalesce((array_agg(a.undo_of IS NOT NULL AND a.created_at > now() - interval '1 day'
                                               ORDER BY a.created_at DESC) FILTER (WHERE a.outcome = 'applied'))[1],
                                    false)) AS facts
                  FROM remediation.actions a
                 WHERE a.target = ANY ($2)
                   -- What the table itself, Step Functions or Lambda refuses is not tried for ever; a stop may be.
                   AND (a.outcome = 'applied'
                        OR a.outcome = 'failed' AND a.kind IN ('set-row-status', 'set-goal-status', 'retry-process', 'start-step',
                                                               'set-worker-timeout', 'set-worker-memory', 'set-reserved-concurrency',
                                                               'set-provisioned-concurrency', 'redeploy-worker'))
                 GROUP BY a.target) t)
  FROM (SELECT $1 AS step) this
  LEFT JOIN remediation.controls c USING (step)
