-- Takes in what is known of executions now, unless more is known already: a later redrive wins, then an end over a
-- beginning. Events are delivered twice and in any order.
INSERT INTO remediation.executions AS known
       (execution_arn, process_id, status, redrive_count, started_at, redriven_at, stopped_at, error, cause, ending_known)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::int4[], $5::timestamptz[], $6::timestamptz[],
                     $7::timestamptz[], $8::text[], $9::text[], $10::bool[])
    ON CONFLICT (execution_arn) DO UPDATE
   SET process_id = coalesce(excluded.process_id, known.process_id), status = excluded.status,
       redrive_count = excluded.redrive_count, started_at = excluded.started_at, redriven_at = excluded.redriven_at,
       stopped_at = excluded.stopped_at, error = excluded.error, cause = excluded.cause,
       ending_known = excluded.ending_known, seen_at = now()
 WHERE (excluded.redrive_count, remediation.rank(excluded.status)) > (known.redrive_count, remediation.rank(known.status))
    OR (excluded.redrive_count, excluded.status) = (known.redrive_count, known.status)
       AND (known.status = 'RUNNING'
            OR known.process_id IS NULL AND excluded.process_id IS NOT NULL
            OR excluded.ending_known AND NOT known.ending_known)
