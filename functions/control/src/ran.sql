-- The newest run of every step: one after the other, by the index on step and time. There are few.
WITH RECURSIVE steps AS (
    (SELECT step FROM remediation.runs ORDER BY step LIMIT 1)
    UNION ALL
    SELECT (SELECT r.step FROM remediation.runs r WHERE r.step > s.step ORDER BY r.step LIMIT 1)
      FROM steps s WHERE s.step IS NOT NULL
)
SELECT r.step, r.started_at, r.mode
  FROM steps s
  JOIN LATERAL (
       SELECT r.step, r.started_at, r.mode FROM remediation.runs r
        WHERE r.step = s.step ORDER BY r.started_at DESC LIMIT 1) r ON true
