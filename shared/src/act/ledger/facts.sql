-- What the limits are counted by, in one answer. Times are PostgreSQL's own: all containers count by one clock.
SELECT (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM remediation.controls c WHERE c.step IN ($1, '*')),
       -- Whoever asks for room is answered with it, below.
       (SELECT count(*) FROM remediation.actions a
         WHERE $6 = 0 AND a.step = $1 AND a.outcome IN ('applying', 'applied') AND a.created_at > now() - interval '1 hour'),
       (SELECT count(*) = 3 AND bool_and(r.helped = 0 AND r.failed_anew > 0)
          FROM (SELECT helped, failed_anew FROM remediation.runs
                 WHERE step = $1 AND tried > 0 AND started_at > now() - interval '1 day'
                 ORDER BY started_at DESC LIMIT 3) r),
       (SELECT coalesce(jsonb_object_agg(t.target, t.facts), '{}')
          FROM (SELECT k.target,
                       jsonb_build_object(
                           'attempts', sum(k.attempts),
                           'secondsSinceLast', min(k.seconds_since_last),
                           'undone', (array_agg(k.undone ORDER BY k.last DESC NULLS LAST))[1],
                           'undoneKinds', coalesce(jsonb_object_agg(k.kind, k.undone) FILTER (WHERE k.undone IS NOT NULL), '{}')) AS facts
                  FROM (SELECT a.target,
                               -- An undo is the history of the kind that it takes back, and no attempt at it.
                               coalesce((SELECT o.kind FROM remediation.actions o WHERE o.id = a.takes_back), a.kind) AS kind,
                               count(*) FILTER (WHERE a.step = $1 AND a.takes_back IS NULL
                                                      AND a.created_at > now() - interval '1 day') AS attempts,
                               extract(epoch FROM now() - max(a.created_at)
                                   FILTER (WHERE a.step = $1 AND a.takes_back IS NULL AND a.outcome = 'applied'))::int8 AS seconds_since_last,
                               max(a.created_at) FILTER (WHERE a.outcome = 'applied') AS last,
                               (array_agg(CASE WHEN a.takes_back IS NOT NULL AND a.created_at > now() - interval '1 day'
                                               THEN a.created_at END
                                          ORDER BY a.created_at DESC) FILTER (WHERE a.outcome = 'applied'))[1] AS undone
                          FROM (SELECT x.*,
                                       -- One that could not be read back is as much a person's word as one that was.
                                       coalesce(x.undo_of, CASE WHEN x.kind = $4 AND x.undo_of IS NULL THEN x.cause::uuid END) AS takes_back
                                  FROM remediation.actions x) a
                         WHERE a.target = ANY ($2)
                           -- No target rests for longer. Some have a history without end: the worker, a step that is started again and again.
                           AND a.created_at > now() - interval '31 days'
                           -- What the outside refuses is not tried for ever, where its kind says so ($3).
                           AND (a.outcome = 'applied' OR a.outcome = 'failed' AND a.kind = ANY ($3))
                         GROUP BY 1, 2) k
                 GROUP BY k.target) t),
       -- Last: the lock on the step's limits is held to the end of the statement.
       (SELECT remediation.admit($5, $1,
                   -- What it has made already stays its own, and no run makes more than its limit.
                   least($11 + $6, greatest($11, coalesce((SELECT c.actions_per_run FROM remediation.controls c WHERE c.step = $1), $7))),
                   $8, $9, $10)
         WHERE $6 > 0)
