-- How many seconds the first 111 rows (1, 10 and 100 at once, each judged before the next) took longer than as many of the rest, which are
-- written 500 at once.
WITH written AS (
    SELECT closed_at, row_number() OVER (ORDER BY closed_at) AS n FROM remediation.actions WHERE outcome = 'applied'
), times AS (
    SELECT min(closed_at) AS first, min(closed_at) FILTER (WHERE n > 111) AS rest, max(closed_at) AS last, count(*) AS rows FROM written
)
SELECT greatest(extract(epoch FROM rest - first) - 111 * extract(epoch FROM last - rest) / (rows - 111), 0)::float8 FROM times
