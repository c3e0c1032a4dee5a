-- What the steps have done about each of the incidents $1 (of the alarms $2 with the ARNs $3, since $4), for this step, $5. A step answers an
-- alarm that has started it, or has started a step that does. What a person asked for is no answer. Of a long incident, the last runs.
WITH asked AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) AS a (root, alarm, arn, since)
), started AS (
    SELECT a.root, a.since, r.id, r.step
      FROM asked a
     CROSS JOIN LATERAL (
           -- Bounded, so that each is found by index whatever the planner thinks of the sizes.
           SELECT r.id, r.step, r.trigger ->> 'alarmArn' AS arn FROM remediation.runs r
            WHERE r.trigger ->> 'alarm' = a.alarm AND r.started_at > a.since - interval '1 minute'
            ORDER BY r.started_at DESC
            LIMIT 1000) r
     WHERE coalesce(r.arn, a.arn, '') = coalesce(a.arn, r.arn, '')
), answering AS (
    SELECT root, since, step FROM started WHERE step <> $5
     UNION
    -- In the collation of the columns that it is compared with: no index of theirs has another.
    SELECT s.root, s.since, substr(x.target, length('step ') + 1) COLLATE "default"
      FROM started s
     CROSS JOIN LATERAL (
           SELECT x.target FROM remediation.actions x
            WHERE x.run_id = s.id AND x.kind = 'start-step' AND x.outcome = 'applied'
            LIMIT 100) x
)
SELECT a.root,
       jsonb_build_object(
           'own', EXISTS (SELECT FROM started s WHERE s.root = a.root AND s.step = $5),
           'steps', coalesce((SELECT jsonb_agg(f.facts ORDER BY w.step) FROM answering w CROSS JOIN LATERAL (
               WITH last AS (
                   SELECT r.started_at, r.mode, r.applied, r.findings, r.verification, r.error, r.summary
                     FROM remediation.runs r
                    WHERE r.step = w.step AND r.started_at > w.since - interval '1 minute'
                      AND (r.trigger ->> 'kind' <> 'operator' OR r.trigger ? 'depth')
                    ORDER BY r.started_at DESC
                    LIMIT 200
               ), newest AS (SELECT * FROM last ORDER BY started_at DESC LIMIT 1)
               SELECT jsonb_build_object(
                          'step', w.step,
                          'failed', (SELECT coalesce(n.error, CASE WHEN n.verification = 'failed' THEN n.summary END) FROM newest n),
                          'limit', (SELECT f ->> 'message' FROM last l, jsonb_array_elements(l.findings) f
                                     WHERE f ->> 'code' IN ('over_limit', 'attempts_used_up')
                                     ORDER BY l.started_at DESC LIMIT 1),
                          'needs', coalesce((SELECT jsonb_agg(n.said ORDER BY n.at DESC)
                                               FROM (SELECT f ->> 'message' AS said, max(l.started_at) AS at
                                                       FROM last l, jsonb_array_elements(l.findings) f
                                                      WHERE l.applied = 0 AND f ? 'audience'
                                                      GROUP BY 1 ORDER BY 2 DESC LIMIT 3) n), '[]'),
                          'plan', p.id, 'approvable', coalesce(p.mode <> 'observe', false), 'waitsOn', p.reason) AS facts
                 FROM (SELECT) one
                 LEFT JOIN LATERAL (
                      -- What is wanted in observe mode waits only where the step itself may do no more: not what a person looked at.
                      SELECT p.id, p.mode, p.reason FROM remediation.plans p
                       WHERE p.step = w.step AND p.superseded_at IS NULL AND p.done_at IS NULL AND p.seen_at >= w.since
                         AND (p.mode <> 'observe' OR EXISTS (SELECT FROM newest n WHERE n.mode = 'observe'))
                       ORDER BY p.seen_at DESC LIMIT 1) p ON true) f
                                WHERE w.root = a.root), '[]'),
           'actions', coalesce((SELECT jsonb_agg(m.made ORDER BY m.created_at DESC) FROM (
               SELECT x.created_at,
                      jsonb_build_object('id', x.id, 'step', x.step, 'kind', x.kind, 'target', x.target, 'reason', x.reason,
                                         'applied', x.outcome = 'applied') AS made
                 FROM answering w CROSS JOIN LATERAL (
                      SELECT * FROM remediation.actions x
                       WHERE x.step = w.step AND x.created_at >= w.since AND x.outcome IN ('applied', 'failed')
                       ORDER BY x.created_at DESC LIMIT 5) x
                WHERE w.root = a.root
                ORDER BY x.created_at DESC LIMIT 5) m), '[]'),
           'made', (SELECT coalesce(sum(m.made), 0) FROM answering w CROSS JOIN LATERAL (
                      SELECT count(*) AS made FROM remediation.actions x
                       WHERE x.step = w.step AND x.created_at >= w.since AND x.outcome IN ('applied', 'failed')) m
                     WHERE w.root = a.root))
  FROM asked a
