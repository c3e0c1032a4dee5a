-- What was done since $1, by step and kind, and of it what was undone. The steps are found one after the other by their index: there are few.
WITH RECURSIVE steps AS (
    (SELECT step FROM remediation.actions ORDER BY step LIMIT 1)
    UNION ALL
    SELECT (SELECT a.step FROM remediation.actions a WHERE a.step > s.step ORDER BY a.step LIMIT 1)
      FROM steps s WHERE s.step IS NOT NULL
)
SELECT a.step, a.kind,
       count(*) FILTER (WHERE a.outcome = 'applied') AS applied,
       count(*) FILTER (WHERE a.outcome = 'failed') AS failed,
       count(u.undo_of) AS undone
  FROM steps s
  JOIN remediation.actions a ON a.step = s.step AND a.created_at >= $1 AND a.kind <> $2
  LEFT JOIN remediation.actions u ON u.undo_of = a.id AND u.outcome = 'applied'
 GROUP BY a.step, a.kind
 ORDER BY a.step, a.kind
