-- Runs between $2 and $3 that were about process $1 or one of the executions $4, but those of step $5; the newest $6 of them. The
-- table has a line a minute and step: each step's part is found by the index on step and time, and there are few steps.
WITH RECURSIVE steps AS (
    (SELECT step FROM remediation.runs ORDER BY step LIMIT 1)
    UNION ALL
    SELECT (SELECT r.step FROM remediation.runs r WHERE r.step > s.step ORDER BY r.step LIMIT 1)
      FROM steps s WHERE s.step IS NOT NULL
)
SELECT r.step, r.started_at, coalesce(r.trigger ->> 'kind', '-') AS kind, r.mode, r.summary, r.error
  FROM steps s
  JOIN LATERAL (
       SELECT * FROM remediation.runs r
        WHERE r.step = s.step AND r.started_at BETWEEN $2 AND $3
          AND (r.trigger ->> 'processId' = $1 OR r.trigger ->> 'executionArn' = ANY ($4))) r ON true
 WHERE s.step <> $5
 ORDER BY r.started_at DESC, r.id DESC
 LIMIT $6
