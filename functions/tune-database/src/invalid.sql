-- INVALID indexes of the schemas of table $1 and of ours that nobody builds, but for those of the names $2. A partitioned table's own index
-- (relkind I) is INVALID until it has all its parts, and no left-over.
SELECT format('%I.%I', n.nspname, c.relname) AS name, pg_get_indexdef(c.oid) AS definition
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE NOT i.indisvalid AND c.relkind = 'i'
   AND (n.nspname = 'remediation' OR n.oid = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass($1)))
   AND c.relname <> ALL ($2)
   AND NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                    WHERE d.datname = current_database() AND l.relation = i.indrelid AND l.pid <> pg_backend_pid()
                      AND l.mode = 'ShareUpdateExclusiveLock')
 ORDER BY 1
