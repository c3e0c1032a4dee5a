-- A process's row without what is the user's own: neither the user, nor the parameters, nor the result.
SELECT {status}::text AS status, {type}::text AS kind, {target_id}::text AS target, {progress}::int4 AS progress,
       {retry_count}::int4 AS retries, {error} AS error,
       {read created_at} AS created_at, {read updated_at} AS updated_at, {read completed_at} AS completed_at
  FROM {table} p
 WHERE {id} = $1
