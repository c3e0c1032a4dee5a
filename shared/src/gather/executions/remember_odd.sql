-- Keeps executions whose status nobody knows: whatever is known of them later takes their place.
INSERT INTO remediation.executions AS known (execution_arn, process_id, status, redrive_count, started_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int4[], $5::timestamptz[])
    ON CONFLICT (execution_arn) DO UPDATE
   SET process_id = coalesce(known.process_id, excluded.process_id), status = excluded.status,
       redrive_count = excluded.redrive_count, stopped_at = NULL, error = NULL, cause = NULL, ending_known = false,
       says_failed = NULL, seen_at = now()
 WHERE excluded.redrive_count >= known.redrive_count
