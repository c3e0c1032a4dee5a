-- Rows, each with the newest execution that is known of its process.
SELECT {id text} AS id, p.xmin::text::int8 AS version, {status name} AS status, {deadline} AS deadline, {arn}::text AS linked_arn, {is linked} AS is_linked,
       greatest(least(coalesce({progress}, 0), 32767), -32768)::int2 AS progress,
       {has result} AS has_result, {code} AS error_code,
       {retry_count}::int4 AS retries,
       {read created_at} AS created_at, {read updated_at} AS updated_at, {read completed_at} AS completed_at,
       {odd times} AS odd_times,
       e.execution_arn, e.status AS execution_status, e.redrive_count, e.started_at, e.redriven_at, e.stopped_at,
       e.error AS execution_error, e.cause AS execution_cause, e.ending_known, e.says_failed,
       e.status = 'ABORTED' AND EXISTS (
           SELECT FROM remediation.actions a
            WHERE a.target = e.execution_arn AND a.kind = 'stop-execution' AND a.cause = 'deadline'
              -- While one is being made, somebody else's may come first: then the execution itself is asked.
              AND a.outcome = 'applied'
              -- What stopped it before a redrive says nothing of what stopped it since.
              AND coalesce((a.before ->> 'redriveCount')::int4, 0) = e.redrive_count) AS stopped_for_deadline
  FROM {rows} p
