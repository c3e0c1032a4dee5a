-- The indexes of table $1, and whatever else bears one of the names $2 in its schema. A build shows in the server's own progress view;
-- of another user's build only the lock on the table may be seen.
SELECT c.oid::int8 AS oid, c.relname::text AS name, coalesce(i.indrelid = t.oid, false) AS of_table,
       coalesce(i.indisvalid, false) AS valid,
       CASE WHEN i.indexrelid IS NOT NULL THEN pg_get_indexdef(c.oid) END AS definition,
       -- Its columns, where they are all that it is made of.
       CASE WHEN am.amname = 'btree' AND i.indexprs IS NULL AND i.indpred IS NULL THEN
           (SELECT array_agg('"' || replace(a.attname, '"', '""') || '"' ORDER BY k.at)
              FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, at)
              JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE k.at <= i.indnkeyatts) END AS columns,
       pg_relation_size(c.oid) AS bytes, b.pid AS builder, b.phase,
       (100.0 * b.done / nullif(b.of, 0))::float8 AS percent,
       (SELECT min(l.pid) FROM pg_locks l JOIN pg_stat_activity s USING (pid)
         WHERE l.relation = t.oid AND l.database = s.datid AND l.pid <> pg_backend_pid()
           AND s.backend_type IS DISTINCT FROM 'autovacuum worker'
           AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',
                          'AccessExclusiveLock')) AS holder
  FROM pg_class t
  JOIN pg_class c ON c.relnamespace = t.relnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
  LEFT JOIN pg_am am ON am.oid = c.relam
  LEFT JOIN LATERAL (
       SELECT p.pid, p.phase, coalesce(nullif(p.blocks_total, 0), p.tuples_total) AS of,
              CASE WHEN p.blocks_total > 0 THEN p.blocks_done ELSE p.tuples_done END AS done
         FROM pg_stat_progress_create_index p
        WHERE p.index_relid = c.oid AND p.pid <> pg_backend_pid() LIMIT 1) b ON true
 WHERE t.oid = to_regclass($1) AND (i.indrelid = t.oid OR c.relname = ANY ($2))
 ORDER BY c.relname
