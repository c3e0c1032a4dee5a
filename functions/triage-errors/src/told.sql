-- What this step has told people since $2, by itself: code and target. What did not reach them is told again.
SELECT DISTINCT f ->> 'code' AS code, f ->> 'target' AS target
  FROM remediation.runs r, jsonb_array_elements(r.findings) f
 WHERE r.step = $1 AND r.started_at > $2 AND r.findings <> '[]' AND r.trigger ->> 'kind' <> 'operator'
   AND f ->> 'code' = ANY ($3) AND NOT r.findings @> '[{"code": "not_told"}]'
