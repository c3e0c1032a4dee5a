-- Lets {seconds} seconds go by: every time in the application's tables and in schema remediation becomes so much longer ago. Times
-- inside jsonb are changed in schema remediation only, where a text is a time and nothing else: the application's images are the product's
-- own record, while its results are not times that anybody compares.
BEGIN;
-- No trigger is to see this, neither the application's nor the fence.
SET LOCAL session_replication_role = replica;

CREATE FUNCTION pg_temp.aged(value jsonb, by interval) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    words text;
BEGIN
    CASE jsonb_typeof(value)
    WHEN 'string' THEN
        words := value #>> '{}';
        IF words ~ '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d' THEN
            -- Fraction and zone stay as they are written.
            RETURN to_jsonb(to_char(left(words, 19)::timestamp - by, 'YYYY-MM-DD"' || substr(words, 11, 1) || '"HH24:MI:SS') || substr(words, 20));
        END IF;
        RETURN value;
    WHEN 'object' THEN
        RETURN (SELECT coalesce(jsonb_object_agg(key, pg_temp.aged(part, by)), '{}') FROM jsonb_each(value) AS parts(key, part));
    WHEN 'array' THEN
        RETURN (SELECT coalesce(jsonb_agg(pg_temp.aged(part, by) ORDER BY place), '[]')
                  FROM jsonb_array_elements(value) WITH ORDINALITY AS parts(part, place));
    ELSE
        RETURN value;
    END CASE;
END
$$;

DO $$
DECLARE
    of record;
BEGIN
    FOR of IN
        SELECT c.oid::regclass AS relation,
               string_agg(format(CASE WHEN t.typname = 'jsonb'
                                      THEN '%1$I = CASE WHEN %1$I::text ~ ''"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:'' THEN pg_temp.aged(%1$I, %2$L) ELSE %1$I END'
                                      ELSE '%1$I = %1$I - %2$L::interval' END, a.attname, '{seconds} s'), ', ') AS changes
          FROM pg_class c
          JOIN pg_namespace n ON n.oid = c.relnamespace
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
          JOIN pg_type t ON t.oid = a.atttypid
         WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
           AND (t.typname IN ('timestamptz', 'timestamp') OR t.typname = 'jsonb' AND n.nspname = 'remediation')
         GROUP BY c.oid
    LOOP
        EXECUTE format('UPDATE %s SET %s', of.relation, of.changes);
    END LOOP;
END
$$;
COMMIT;
