-- What PostgreSQL worked in this database for the function, planning included.
SELECT CASE WHEN query LIKE '-- Writes rows as they were decided on%' THEN 'write'
            WHEN query LIKE '-- Rows, each with%' THEN 'read'
            WHEN query LIKE '-- What the limits are counted by%' THEN 'limits'
            ELSE 'other' END AS part,
       (sum(total_exec_time + total_plan_time) / 1000)::float8 AS seconds
  FROM pg_stat_statements
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND (query LIKE '-- %' OR query LIKE '%remediation.runs%')
 GROUP BY 1
 ORDER BY 2 DESC
