-- What was wanted in the last day in mode observe, by step and kind, each target once. The newest plans are read until they name 20,000
-- changes; of one with very many only a sample is kept ($1 and more), and it says how many there are.
WITH listed AS MATERIALIZED (
    SELECT p.id, p.step, p.actions, p.groups, p.complete,
           sum(least(p.wanted, $1)) OVER (PARTITION BY p.step ORDER BY p.seen_at DESC, p.id) > 20000 AS too_many
      FROM remediation.plans p
     WHERE p.mode = 'observe' AND p.seen_at >= now() - interval '1 day'
), named AS (
    SELECT l.step, a ->> 'kind' AS kind, count(DISTINCT a ->> 'target') AS targets
      FROM listed l, jsonb_array_elements(l.actions) a
     WHERE NOT l.too_many
     GROUP BY 1, 2
), largest AS (
    SELECT step, kind, max(targets)::bigint AS targets
      FROM (SELECT l.step, g ->> 'kind' AS kind, sum((g ->> 'count')::bigint) AS targets
              FROM listed l CROSS JOIN LATERAL jsonb_array_elements(l.groups) g
             WHERE NOT l.complete
             GROUP BY l.id, l.step, kind) of_a_plan
     GROUP BY 1, 2
)
SELECT n.step, n.kind, greatest(n.targets, l.targets) AS targets,
       (SELECT bool_or(too_many) FROM listed WHERE listed.step = n.step) AS there_is_more
  FROM named n
  LEFT JOIN largest l USING (step, kind)
 ORDER BY n.step, n.kind
 LIMIT 100
