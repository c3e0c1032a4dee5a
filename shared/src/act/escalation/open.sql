-- The open incidents of the system $1, $3 at the most, and how many there are: those first of which somebody is still to be told (an action
-- of the kind $2), the oldest first.
SELECT i.id, r.root, i.alarm, i.alarm_arn, coalesce(b.opened_at, i.opened_at) AS began_at, i.reason, i.held_back, i.held_until,
       b.acknowledged_at, b.acknowledged_by, d.deliveries, count(*) OVER () AS of
  FROM remediation.incidents i
 CROSS JOIN LATERAL (SELECT coalesce(i.continues, i.id) AS root) r
  LEFT JOIN remediation.incidents b ON b.id = r.root
 CROSS JOIN LATERAL (
       SELECT coalesce(jsonb_object_agg(l.level, l.delivery), '{}') AS deliveries
         FROM (SELECT right(a.target, 2) AS level,
                      jsonb_build_object('toldAt', max(a.closed_at) FILTER (WHERE a.outcome = 'applied'),
                                         'failed', count(*) FILTER (WHERE a.outcome = 'failed'),
                                         'failedAt', max(a.closed_at) FILTER (WHERE a.outcome = 'failed'),
                                         'underWay', bool_or(a.outcome = 'applying')) AS delivery
                 FROM remediation.actions a
                WHERE a.kind = $2
                  AND a.target = ANY (ARRAY[format('incident %s L1', r.root), format('incident %s L2', r.root),
                                            format('incident %s L3', r.root)])
                GROUP BY 1) l) d
 WHERE i.closed_at IS NULL AND coalesce(i.system, $1) = $1
 ORDER BY b.acknowledged_at IS NOT NULL OR d.deliveries -> 'L3' ->> 'toldAt' IS NOT NULL, began_at, i.id
 LIMIT $3
