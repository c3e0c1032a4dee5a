-- What was wanted since $1 and not done, by step and kind, and what became of it by now.
--
-- Of each step the newest plans are read until they name $2 changes: the work is bounded, however often what was wanted.
WITH RECURSIVE steps AS (
    (SELECT step FROM remediation.plans ORDER BY step LIMIT 1)
    UNION ALL
    SELECT (SELECT p.step FROM remediation.plans p WHERE p.step > s.step ORDER BY p.step LIMIT 1)
      FROM steps s WHERE s.step IS NOT NULL
), listed AS MATERIALIZED (
    SELECT l.*, l.up_to > $2 AS too_many
      FROM steps s
      CROSS JOIN LATERAL (
           SELECT p.step, p.created_at, p.actions, p.groups, p.complete,
                  sum(least(p.wanted, $3)) OVER (ORDER BY p.seen_at DESC, p.id) AS up_to
             FROM remediation.plans p
            WHERE p.step = s.step AND p.seen_at >= $1) l
), wanted AS MATERIALIZED (
    -- What was wanted last of a target is what was wanted of it.
    SELECT DISTINCT ON (l.step, kind, target)
           l.step, l.created_at, a ->> 'kind' AS kind, (a ->> 'target') COLLATE "C" AS target, a -> 'before' AS before, a -> 'after' AS after
      FROM listed l, jsonb_array_elements(l.actions) a
     WHERE NOT l.too_many
     ORDER BY l.step, kind, target, l.created_at DESC
), done AS MATERIALIZED (
    -- By the step itself, later on: a person approved it, or the mode became another.
    SELECT w.step, w.kind, w.target
      FROM wanted w
     WHERE EXISTS (SELECT FROM remediation.actions a
                    WHERE a.target = w.target AND a.created_at >= w.created_at
                      AND a.step = w.step AND a.kind = w.kind AND a.outcome = 'applied')
), judged AS MATERIALIZED ({judged}
), largest AS (
    -- A plan of very many has a sample of them, and says how many there are.
    SELECT l.step, g ->> 'kind' AS kind, l.created_at, sum((g ->> 'count')::bigint) AS wanted
      FROM listed l, jsonb_array_elements(l.groups) g
     WHERE NOT l.complete
     GROUP BY l.step, kind, l.created_at
)
SELECT w.step, w.kind,
       greatest(count(*), (SELECT max(l.wanted) FROM largest l WHERE l.step = w.step AND l.kind = w.kind))::bigint AS wanted,
       count(*) FILTER (WHERE d.target IS NOT NULL) AS done,
       count(*) FILTER (WHERE d.target IS NULL AND j.became = 'right') AS as_wanted,
       count(*) FILTER (WHERE d.target IS NULL AND j.became = 'otherwise') AS otherwise,
       count(*) FILTER (WHERE d.target IS NULL AND j.became = 'open') AS open,
       (array_agg(jsonb_build_object('target', w.target, 'wanted', w.after -> 'status', 'now', j.now) ORDER BY w.target)
           FILTER (WHERE d.target IS NULL AND j.became = 'otherwise'))[1:$4] AS examples,
       (SELECT bool_or(l.too_many) FROM listed l WHERE l.step = w.step) AS there_is_more
  FROM wanted w
  LEFT JOIN done d USING (step, kind, target)
  LEFT JOIN judged j USING (step, kind, target)
 GROUP BY w.step, w.kind
 ORDER BY w.step, w.kind
