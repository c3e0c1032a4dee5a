-- The fields that were not valid in what was closed since $1, the most frequent ones.
SELECT left(d ->> 'field', 100) AS field, left(d ->> 'message', 200) AS message, count(*) AS count
  FROM {rows} p
 CROSS JOIN LATERAL jsonb_array_elements(
       CASE jsonb_typeof({error} -> 'details') WHEN 'array' THEN {error} -> 'details' ELSE '[]' END) d
 WHERE {status} IN ({failed}) AND {error code} = 'VALIDATION_ERROR'
   AND coalesce({completed_at}, {updated_at}) > $1 AND {status} NOT IN ({open}) AND d ->> 'field' IS NOT NULL
 GROUP BY 1, 2
 ORDER BY 3 DESC, 1, 2
 LIMIT 20
