-- What a concurrent build on table $1 would have to wait for: transactions of this database that are older than $2 seconds and have a snapshot
-- or a lock on the table, transactions whose age this user may not see, and whoever alters, vacuums or indexes the table.
WITH sessions AS (
    SELECT a.pid, a.application_name, a.backend_type, a.backend_xmin,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8 AS seconds
      FROM pg_stat_activity a
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
), on_table AS (
    SELECT l.pid, l.mode FROM pg_locks l JOIN pg_database d ON d.oid = l.database
     WHERE d.datname = current_database() AND l.relation = to_regclass($1) AND l.pid IS DISTINCT FROM pg_backend_pid()
)
SELECT 'transaction' AS kind, pid, application_name AS who, seconds FROM sessions s
 WHERE s.backend_type = 'client backend' AND s.seconds > $2
   AND (s.backend_xmin IS NOT NULL OR EXISTS (SELECT FROM on_table o WHERE o.pid = s.pid))
UNION ALL
SELECT 'unseen', s.pid, NULL, NULL FROM sessions s
 WHERE s.backend_type IS NULL
   AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = s.pid AND l.locktype = 'virtualxid' AND l.granted)
UNION ALL
SELECT 'prepared', NULL, gid, extract(epoch FROM clock_timestamp() - prepared)::float8 FROM pg_prepared_xacts
 WHERE database = current_database() AND prepared < clock_timestamp() - make_interval(secs => $2)
UNION ALL
SELECT DISTINCT 'maintenance', o.pid, s.application_name, s.seconds
  FROM on_table o LEFT JOIN sessions s USING (pid)
 WHERE o.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
   AND s.backend_type IS DISTINCT FROM 'autovacuum worker'
ORDER BY 1, 2
