-- Keeps the highest progress that was seen of every PROCESSING row in its present attempt, and forgets all other rows.
--
-- One sweep at a time does it, so that two of them never wait for each other; what the other one keeps is as good.
WITH this AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock(hashtextextended('remediation:progress', 0)) AS alone
), seen AS MATERIALIZED (
    SELECT {id text} AS process_id, concat_ws('/', e.execution_arn, e.redrive_count, {retry_count}::int4) AS attempt,
           greatest(least(coalesce({progress}, 0), 100), 0)::int2 AS highest
      FROM this, {rows} p
{newest}
     WHERE this.alone AND {status} IN ({processing})
), forgotten AS (
    DELETE FROM remediation.progress k USING this
     WHERE this.alone AND NOT EXISTS (SELECT FROM seen s WHERE s.process_id = k.process_id)
)
INSERT INTO remediation.progress AS known (process_id, attempt, highest)
SELECT s.process_id, s.attempt, s.highest FROM seen s
    ON CONFLICT (process_id) DO UPDATE
   -- Another attempt begins anew; within one, only what is higher is news.
   SET attempt = excluded.attempt, highest = excluded.highest, seen_at = now()
 WHERE known.attempt <> excluded.attempt OR known.highest < excluded.highest
