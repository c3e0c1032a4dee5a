-- The application's table: how large it is, and whether this user may make an index on it.
SELECT pg_get_userbyid(c.relowner)::text AS owner, quote_ident(current_user) AS "user",
       pg_has_role(c.relowner, 'USAGE') AS owned, has_schema_privilege(c.relnamespace, 'CREATE') AS creates,
       c.relnamespace::regnamespace::text AS schema,
       pg_relation_size(c.oid) AS bytes,
       -- Never analyzed, it is -1.
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::int8 END AS rows
  FROM pg_class c WHERE c.oid = to_regclass($1)
