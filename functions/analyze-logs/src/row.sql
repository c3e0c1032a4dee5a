-- A process's row without what is the user's own: neither the user, nor the parameters, nor the result.
SELECT {status name} AS status, {type}::text AS kind, {target_id}::text AS target, {progress}::int4 AS progress,
       {retry_count}::int4 AS retries, CASE WHEN {error}::text ~ '[0-9]{150}[0-9]{150}' THEN to_jsonb(left({error}::text, 2000)) ELSE {error} END AS error,
       coalesce({read created_at}, {read updated_at}, now()) AS created_at,
       coalesce({read updated_at}, {read created_at}, now()) AS updated_at, {read completed_at} AS completed_at
  FROM {rows} p
 WHERE {id} = $1::{id type}
