-- The ten slowest statements of this database by mean, and by total time. {view}, {mean} and {total} are as the extension's version has them.
WITH ranked AS (
    SELECT queryid::text AS id, query, calls, rows, {mean} AS mean, {total} AS total,
           row_number() OVER (ORDER BY {mean} DESC, queryid) AS by_mean,
           row_number() OVER (ORDER BY {total} DESC, queryid) AS by_total,
           count(*) FILTER (WHERE query = '<insufficient privilege>') OVER () AS hidden
      FROM {view}
     WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT id, left(query, 4000) AS query, calls, rows, mean, total, by_mean, by_total, hidden
  FROM ranked WHERE by_mean <= 10 OR by_total <= 10
