-- What was closed since $1, and how ($2: codes of input that is not valid); an index on when rows were closed is enough to find it.
WITH closed AS (
    SELECT {status} AS status, {status} IN ({timed out}) AS is_timed_out, {has failed} AS failed, left({code}, 64) AS code,
           coalesce({has failed} AND {code} = ANY ($2), false) AS is_invalid,
           extract(epoch FROM {took})::float8 AS seconds
      FROM {rows} p
     WHERE coalesce({completed_at}, {updated_at}) > $1 AND {status} NOT IN ({open})
)
SELECT count(*) AS closed,
       count(*) FILTER (WHERE failed AND NOT is_invalid) AS failed,
       count(*) FILTER (WHERE is_invalid) AS invalid,
       count(*) FILTER (WHERE failed
                          AND (is_timed_out OR code IN ('TIMEOUT_ERROR', 'STEP_FUNCTIONS_TIMEOUT'))) AS timed_out,
       count(*) FILTER (WHERE status IN ({completed}) AND NOT failed) AS completed,
       avg(seconds) FILTER (WHERE status IN ({completed}) AND NOT failed) AS average_seconds,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE status IN ({completed}) AND NOT failed) AS p95_seconds,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('code', code, 'count', n) ORDER BY n DESC, code), '[]')
          FROM (SELECT coalesce(code, '-') AS code, count(*) AS n
                  FROM closed WHERE failed GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10) codes) AS codes
  FROM closed
