-- Runs between $2 and $3 that were about process $1 or one of the executions $4, but those of step $5; the newest $6 of them. Both ways to
-- be about it have an index.
SELECT r.step, r.started_at, coalesce(r.trigger ->> 'kind', '-') AS kind, r.mode, r.summary, r.error
  FROM remediation.runs r
 WHERE (r.trigger ->> 'processId' = $1 OR r.trigger ->> 'executionArn' = ANY ($4))
   AND r.started_at BETWEEN $2 AND $3 AND r.step <> $5
 ORDER BY r.started_at DESC, r.id DESC
 LIMIT $6
