-- Whether the fence, where there is one, is this build's ($2), stands on this table ($1) alone, and is in force.
SELECT coalesce(obj_description(f.oid, 'pg_proc') = 'md5:' || md5($2::text)
                AND (SELECT bool_and(t.tgrelid = to_regclass($1::text) AND t.tgenabled IN ('O', 'A'))
                       FROM pg_trigger t WHERE t.tgfoid = f.oid AND t.tgparentid = 0), false)
  FROM pg_proc f
  JOIN pg_namespace n ON n.oid = f.pronamespace
 WHERE n.nspname = 'remediation' AND f.proname = 'fence'
