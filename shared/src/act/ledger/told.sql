-- When this step told last, and by itself, what it does not tell always: a trigger without a depth is a person's. A run's record has the
-- first hundred findings. What did not reach people is told again, and so is what came too soon after another message.
SELECT f ->> 'code' AS code, f ->> 'target' AS target, max(r.started_at) AS at
  FROM remediation.runs r, jsonb_array_elements(r.findings) f
 WHERE r.step = $1 AND r.started_at > $2 AND r.findings <> '[]' AND r.told IS NOT false
   AND (r.trigger ->> 'kind' <> 'operator' OR r.trigger ? 'depth')
   AND f ->> 'code' = ANY ($3) AND NOT r.findings @> '[{"code": "not_told"}]'
 GROUP BY 1, 2
