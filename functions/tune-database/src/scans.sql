-- Tables of the application's schema with $2 rows or more that were read whole $3 times or more since the statistics were reset, and more
-- often than by an index.
SELECT format('%I.%I', schemaname, relname) AS "table", n_live_tup AS rows, seq_scan AS scans, seq_tup_read AS rows_read,
       coalesce(idx_scan, 0) AS by_index
  FROM pg_stat_user_tables
 WHERE schemaname = (SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass($1))
   AND n_live_tup >= $2 AND seq_scan >= $3 AND seq_scan > coalesce(idx_scan, 0)
 ORDER BY seq_tup_read DESC, 1 LIMIT 10
