-- What the limits are counted by, in one answer. Times are PostgreSQL's own: all containers count by one clock.
SELECT (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM remediation.controls c WHERE c.step IN ($1, '*')),
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
                   -- No target rests for longer. Some have a history without end: the worker, a step that is started again and again.
                   AND a.created_at > now() - interval '31 days'
                   -- What the table itself, Step Functions or Lambda refuses is not tried for ever; a stop may be.
                   AND (a.outcome = 'applied'
                        OR a.outcome = 'failed' AND a.kind IN ('set-row-status', 'set-goal-status', 'retry-process', 'start-step',
                                                               'set-worker-timeout', 'set-worker-memory', 'set-reserved-concurrency',
                                                               'set-provisioned-concurrency', 'redeploy-worker'))
                 GROUP BY a.target) t)
