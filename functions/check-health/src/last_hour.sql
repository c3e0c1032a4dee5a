-- The rates of the hour since $1, and the depth of the queue.
SELECT count(*) FILTER (WHERE {status} IN ({pending})) AS pending,
       count(*) FILTER (WHERE {status} IN ({processing})) AS processing,
       count(*) FILTER (WHERE {completed_at} > $1) AS closed,
       count(*) FILTER (WHERE {completed_at} > $1 AND {status} IN ({failed})) AS failed,
       count(*) FILTER (WHERE {completed_at} > $1 AND {status} IN ({failed})
                          AND ({status}::text = 'TIMEOUT'
                               OR {error} ->> 'code' IN ('TIMEOUT_ERROR', 'STEP_FUNCTIONS_TIMEOUT'))) AS timed_out,
       percentile_cont(0.95) WITHIN GROUP (
           ORDER BY extract(epoch FROM {completed_at} - {created_at})::float8)
           FILTER (WHERE {completed_at} > $1 AND {status} IN ({completed})) AS p95_seconds
  FROM {table} p
 WHERE {status} IN ({open}) OR {completed_at} > $1
