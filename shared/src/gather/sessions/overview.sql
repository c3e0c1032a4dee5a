-- Connections and locks of the whole server. Of other users' sessions, a user without pg_monitor sees little more than that they
-- are there (backend_type is NULL then). pg_locks and pg_blocking_pids show everybody everything.
WITH sessions AS (
    SELECT backend_type IS NULL AS unseen
      FROM pg_stat_activity
     WHERE backend_type = 'client backend'
        OR backend_type IS NULL AND usesysid IS NOT NULL AND datid IS NOT NULL
), blocked AS MATERIALIZED (
    SELECT pid, pg_blocking_pids(pid) AS blocked_by
      FROM (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted AND pid IS NOT NULL) waiting
)
SELECT (SELECT count(*) FROM sessions) AS used,
       (SELECT count(*) FROM sessions WHERE unseen) AS unseen,
       -- What an ordinary user may use of them; the last two settings are not everywhere.
       current_setting('max_connections')::int8 - current_setting('superuser_reserved_connections')::int8
           - coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::int8
           - coalesce(nullif(current_setting('rds.rds_superuser_reserved_connections', true), ''), '0')::int8 AS available,
       (SELECT count(*) FROM blocked WHERE cardinality(blocked_by) > 0) AS blocked,
       (SELECT coalesce(jsonb_agg(jsonb_build_object('pid', pid, 'blockedBy', blocked_by) ORDER BY pid), '[]')
          FROM (SELECT * FROM blocked WHERE cardinality(blocked_by) > 0 ORDER BY pid LIMIT 10) named) AS named
