-- What $1 rows say, as a sample.
WITH sample AS (
    SELECT {status}::text AS status, {is failed} AS failed, {error code} AS code, {arn}::text AS arn, {is linked} AS is_linked,
           {read created_at} IS NULL AS timeless
      FROM {rows} p LIMIT $1
)
SELECT (SELECT count(*) FROM sample) AS rows,
       (SELECT count(*) FROM sample WHERE timeless) AS timeless,
       (SELECT CASE WHEN bool_or(is_linked) THEN count(nullif(arn, '')) END FROM sample) AS linked,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(left(status, 100), n) ORDER BY n DESC, status), '[]')
          FROM (SELECT status, count(*) AS n FROM sample GROUP BY status ORDER BY 2 DESC, 1 LIMIT 50) s) AS statuses,
       (SELECT coalesce(jsonb_agg(jsonb_build_array(left(code, 100), n) ORDER BY n DESC, code), '[]')
          FROM (SELECT code, count(*) AS n FROM sample WHERE failed GROUP BY code ORDER BY 2 DESC, 1 LIMIT 20) c) AS codes
