-- Takes in what is known of executions now, unless more is known already: a later redrive wins, then an end over a
-- beginning. Events are delivered twice and in any order.
INSERT INTO remediation.executions AS known
       (execution_arn, process_id, status, redrive_count, started_at, redriven_at, stopped_at, error, cause, ending_known,
        says_failed)
SELECT DISTINCT ON (s.arn) s.*
  FROM unnest($1::text[], $2::text[], $3::text[], $4::int4[], $5::timestamptz[], $6::timestamptz[],
              $7::timestamptz[], $8::text[], $9::text[], $10::bool[], $11::bool[])
       AS s(arn, process, status, redrive_count, started_at, redriven_at, stopped_at, error, cause, ending_known, says_failed)
 ORDER BY s.arn, s.redrive_count DESC, remediation.rank(s.status) DESC, s.ending_known DESC
    ON CONFLICT (execution_arn) DO UPDATE
       -- What is known is never overwritten by a guess from the name.
   SET process_id = CASE WHEN remediation.names(excluded.execution_arn, excluded.process_id)
                         THEN coalesce(known.process_id, excluded.process_id)
                         ELSE coalesce(excluded.process_id, known.process_id) END,
       status = excluded.status,
       redrive_count = excluded.redrive_count, started_at = excluded.started_at, redriven_at = excluded.redriven_at,
       stopped_at = excluded.stopped_at, seen_at = now(),
       (error, cause, ending_known, says_failed) = (
           -- What it ended with is true of this end only, and is not lost to a list that tells no more than the status.
           SELECT CASE WHEN keep THEN known.error ELSE excluded.error END,
                  CASE WHEN keep THEN known.cause ELSE excluded.cause END, keep OR excluded.ending_known,
                  CASE WHEN keep THEN known.says_failed ELSE excluded.says_failed END
             FROM (SELECT known.ending_known AND NOT excluded.ending_known
                          AND (excluded.redrive_count, excluded.status) = (known.redrive_count, known.status) AS keep) k)
 WHERE (excluded.redrive_count, remediation.rank(excluded.status)) > (known.redrive_count, remediation.rank(known.status))
    OR (excluded.redrive_count, excluded.status) = (known.redrive_count, known.status)
       AND (known.status = 'RUNNING'
            OR excluded.process_id IS NOT NULL AND known.process_id IS DISTINCT FROM excluded.process_id
               AND (known.process_id IS NULL OR NOT remediation.names(excluded.execution_arn, excluded.process_id))
            OR excluded.ending_known AND NOT known.ending_known
            OR excluded.says_failed IS NOT NULL AND known.says_failed IS NULL)
    -- A status that nobody knew says nothing.
    OR known.status NOT IN ('RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE')
