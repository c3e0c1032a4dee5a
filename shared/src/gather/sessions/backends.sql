-- The sessions of the whole server, what each waits for, and why it must never be ended (NULL: it may be, where its application is an
-- allowed one). One definition for the look and for the check in the very statement that ends a session.
--
-- pg_locks and pg_blocking_pids show everybody everything; of other users' sessions, pg_stat_activity shows a user without pg_monitor
-- little more than that they are there. What not every version has (waitstart, query_id) is read from the row as JSON.
WITH locks AS MATERIALIZED (
    SELECT l.*, (to_jsonb(l) ->> 'waitstart')::timestamptz AS waiting_since FROM pg_locks l
), waits AS MATERIALIZED (
    -- The root of a chain waits for nobody. A prepared transaction is pid 0.
    SELECT pid, min(waiting_since) AS waiting_since, pg_blocking_pids(pid) AS blocked_by
      FROM locks
     WHERE NOT granted AND pid IS NOT NULL
     GROUP BY pid
), at_schema AS MATERIALIZED (
    -- Who holds, or waits for, a lock on a table that no statement takes which reads or writes rows; and who holds the lock of Prisma's
    -- migrations, in whose pauses nothing else shows. A table of this very transaction is not in the catalogue yet.
    SELECT DISTINCT l.pid
      FROM locks l
      LEFT JOIN pg_class c ON c.oid = l.relation
     WHERE l.locktype = 'relation'
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.relation >= 16384
       AND c.relpersistence IS DISTINCT FROM 't'
       AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        OR l.locktype = 'advisory' AND (l.classid, l.objid, l.objsubid) = (0, 72707369, 1)
), words AS (
    -- The first word of a statement, behind its comments.
    SELECT a.*,
           (to_jsonb(a) ->> 'query_id')::int8 AS statement_id,
           lower(substring(a.query FROM '^(?:\s|/\*(?:[^*]|\*+[^*/])*\*+/|--[^\n]*\n)*([[:alpha:]]+)')) AS word
      FROM pg_stat_activity a
     WHERE a.datid IS NOT NULL OR a.backend_type = 'walsender'
)
SELECT a.pid, a.backend_start, coalesce(a.backend_type = 'client backend', a.usesysid IS NOT NULL) AS is_client,
       -- A client that gives itself no name is known by its user.
       coalesce(nullif(a.application_name, ''), 'user:' || a.usename, '') AS application, host(a.client_addr) AS client_address, coalesce(a.usename::text, '') AS user_name, coalesce(a.datname::text, '') AS database_name, a.state, a.xact_start, a.query_start, a.state_change,
       a.wait_event_type, a.wait_event, coalesce(a.query, '') AS query, a.statement_id,
       coalesce(w.blocked_by, '{}') AS blocked_by,
       -- For a moment, waitstart is not there yet.
       CASE WHEN w.pid IS NOT NULL THEN coalesce(w.waiting_since, a.query_start) END AS waiting_since,
       pg_has_role('pg_signal_backend', 'USAGE') OR coalesce(pg_has_role(a.usesysid, 'USAGE'), false) AS may_signal,
       CASE
           WHEN a.pid = pg_backend_pid() OR a.application_name LIKE 'remediation/%' THEN 'own'
           WHEN a.backend_type IS NULL THEN 'unseen'
           WHEN a.backend_type = 'walsender' THEN 'replication'
           WHEN a.backend_type = 'autovacuum worker'
                OR a.word IN ('vacuum', 'analyze')
                OR EXISTS (SELECT FROM pg_stat_progress_vacuum v WHERE v.pid = a.pid) THEN 'vacuum'
           WHEN a.backend_type <> 'client backend' THEN 'background'
           WHEN a.datname <> current_database() THEN 'other-database'
           WHEN r.rolsuper IS NOT FALSE THEN 'superuser'
           WHEN r.rolreplication THEN 'replication'
           WHEN a.word IN ('create', 'alter', 'drop', 'reindex', 'cluster', 'refresh', 'comment', 'grant', 'revoke', 'reassign')
                OR EXISTS (SELECT FROM at_schema s WHERE s.pid = a.pid) THEN 'migration'
       END AS protection
  FROM words a
  LEFT JOIN pg_roles r ON r.oid = a.usesysid
  LEFT JOIN waits w ON w.pid = a.pid
