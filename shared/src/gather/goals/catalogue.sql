-- The columns of some tables of one schema, the labels of those that are enums, and what this user may do there.
SELECT c.relname::text AS relation, a.attname::text AS name,
       CASE WHEN t.typtype = 'e' THEN quote_ident(n.nspname) || '.' || quote_ident(t.typname)
            ELSE format_type(a.atttypid, NULL) END AS type_name,
       CASE WHEN t.typtype = 'e' THEN 'enum' ELSE format_type(a.atttypid, NULL) END AS family,
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder)
          FROM pg_enum e WHERE e.enumtypid = t.oid) AS labels,
       -- A row's version is asked for too, and that needs the whole table.
       has_table_privilege(c.oid, 'SELECT') AS selects,
       has_any_column_privilege(c.oid, 'UPDATE') AS updates,
       current_user::text AS granted_to
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
  JOIN pg_namespace s ON s.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE s.nspname = $1 AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
