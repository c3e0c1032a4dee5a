-- What the worker had to do since $1: how many processes ended, how long they took, and how many of them ran out of time. An index on
-- when rows were closed is enough to find them.
SELECT count(*) AS ended,
       avg(extract(epoch FROM {took}))::float8 AS average_seconds,
       count(*) FILTER (WHERE {status} IN ({failed})
                          AND ({status}::text = 'TIMEOUT'
                               OR {error code} IN ('TIMEOUT_ERROR', 'STEP_FUNCTIONS_TIMEOUT'))) AS timed_out
  FROM {rows} p
 WHERE coalesce({completed_at}, {updated_at}) > $1 AND {status} NOT IN ({open})
