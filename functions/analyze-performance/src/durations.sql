-- How long what was completed after $1 and until $3 took, by type and for all types together (`kind` is null), in the window after $2 and
-- in the one before. An index on when rows were closed is enough to find it.
WITH completed AS (
    SELECT coalesce({type}::text, '-') AS kind, coalesce({completed_at}, {updated_at}) > $2 AS present,
           extract(epoch FROM {took})::float8 AS seconds,
           coalesce({retry_count}::int4, 0) > 0 AS retried
      FROM {rows} p
     WHERE coalesce({completed_at}, {updated_at}) > $1 AND coalesce({completed_at}, {updated_at}) <= $3
       AND {status} IN ({completed}) AND NOT {has failed} AND {took} IS NOT NULL
)
SELECT kind, present, count(*) AS count, avg(seconds) AS average,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS p50,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95,
       min(seconds) AS min, max(seconds) AS max, count(*) FILTER (WHERE retried) AS retried
  FROM completed
 GROUP BY GROUPING SETS ((kind, present), (present))
 ORDER BY kind NULLS LAST, present
