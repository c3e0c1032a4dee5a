-- The columns of a table, the labels of those that are enums, what this user may do there, and what hides its rows from this user.
SELECT a.attname::text AS name,
       CASE WHEN t.typtype = 'e' THEN quote_ident(n.nspname) || '.' || quote_ident(t.typname)
            -- Without its length: a cast to varchar(8) cuts what is longer, an assignment refuses it.
            ELSE format_type(t.oid, NULL) END AS type_name,
       CASE WHEN t.typtype = 'e' THEN 'enum' ELSE format_type(t.oid, NULL) END AS family,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
          FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
       a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
       has_column_privilege(c.oid, a.attnum, 'UPDATE') AS updates,
       c.relkind::text AS relation_kind,
       has_schema_privilege(s.oid, 'USAGE') AS sees_schema,
       -- A row's version is asked for too, and that needs the whole table.
       has_table_privilege(c.oid, 'SELECT') AS selects,
       row_security_active(c.oid) AS row_security,
       row_security_active(c.oid) AND NOT coalesce(policies.reads_all, false) AS hides_rows,
       row_security_active(c.oid) AND NOT coalesce(policies.writes_all, false) AS keeps_rows,
       current_user::text AS granted_to,
       -- What no two rows have alike.
       (SELECT coalesce(jsonb_agg((SELECT jsonb_agg(k.attname) FROM pg_attribute k WHERE k.attrelid = c.oid AND k.attnum = ANY (i.indkey))), '[]')
          FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL) AS unique_keys
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace s ON s.oid = c.relnamespace
  JOIN pg_type declared ON declared.oid = a.atttypid
  -- A domain is read and written as what it is made of; what it demands beyond that, its own check tells.
  JOIN pg_type t ON t.oid = CASE WHEN declared.typtype = 'd' THEN declared.typbasetype ELSE declared.oid END
  JOIN pg_namespace n ON n.oid = t.typnamespace
 CROSS JOIN LATERAL (
       -- One permissive policy that lets everything through is enough, unless a restrictive one takes something away.
       SELECT bool_or(all_rows AND polpermissive) FILTER (WHERE polcmd IN ('*', 'r'))
                  AND bool_and(all_rows OR polpermissive) FILTER (WHERE polcmd IN ('*', 'r')) AS reads_all,
              bool_or(all_rows AND polpermissive) FILTER (WHERE polcmd IN ('*', 'w'))
                  AND bool_and(all_rows OR polpermissive) FILTER (WHERE polcmd IN ('*', 'w')) AS writes_all
         FROM (SELECT p.polcmd, p.polpermissive,
                      coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') = 'true'
                      AND coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'true') = 'true' AS all_rows
                 FROM pg_policy p
                WHERE p.polrelid = c.oid
                  AND EXISTS (SELECT FROM unnest(p.polroles) role
                               WHERE role = 0 OR pg_has_role(CASE WHEN role = 0 THEN NULL ELSE role END, 'MEMBER'))) of_user
       ) policies
 WHERE s.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped
