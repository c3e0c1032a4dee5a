-- Gives a row back what it had before it was re-opened, because its execution was not started: if nobody wrote it since. The
-- execution that was registered for it is forgotten, and the action closed.
--
-- What somebody else moved stays as it is. What somebody is just writing is left for the next look, action and all.
WITH begun AS MATERIALIZED (
    SELECT a.id, a.target::{id type} AS process, a.before, a.after - ARRAY['executionArn', 'attempt', 'registeredAt'] AS image,
           a.after ->> 'executionArn' AS execution_arn, (a.after ->> 'registeredAt')::timestamptz AS registered_at
      FROM remediation.actions a
     WHERE a.id = $1 AND a.outcome = 'applying'
), ours AS MATERIALIZED (
    SELECT b.* FROM begun b
      JOIN {rows} p ON {id} = b.process
     WHERE {image} || {attempt image} = b.image
       AND NOT EXISTS (
           SELECT FROM remediation.executions newer
            WHERE newer.process_id = b.process::text AND newer.execution_arn <> b.execution_arn
              AND newer.started_at > b.registered_at)
), fresh AS MATERIALIZED (
    SELECT o.* FROM ours o
      JOIN {rows} p ON {id} = o.process
     WHERE {image} || {attempt image} = o.image
       FOR NO KEY UPDATE OF p SKIP LOCKED
), written AS (
    UPDATE {table} p
       SET {set status} = (w.before ->> 'status'){as status},
           {set progress} = (w.before ->> 'progress')::int4,
           {set error} = CASE WHEN jsonb_typeof(w.before -> 'error') = 'null' THEN NULL::jsonb ELSE w.before -> 'error' END,
           {set completed_at} = ((w.before ->> 'completedAt')::timestamp AT TIME ZONE 'UTC'){as completed_at},
           {set retry_count} = (w.before ->> 'retryCount')::int4,
           {set arn} = w.before ->> 'arn',
           {set updated_at} = ((w.before ->> 'updatedAt')::timestamp AT TIME ZONE 'UTC'){as updated_at}
      FROM fresh w
     WHERE {id} = w.process AND {ours}
 RETURNING w.id, {image} || {attempt image} AS now
), ended AS (
    SELECT b.* FROM begun b
     WHERE EXISTS (SELECT FROM written) OR NOT EXISTS (SELECT FROM ours)
), forgotten AS (
    -- Unless it was seen since: then it is known as what it is.
    DELETE FROM remediation.executions e USING ended b
     WHERE e.execution_arn = b.execution_arn AND e.status = 'RUNNING' AND e.started_at = b.registered_at
), closed AS (
    UPDATE remediation.actions a
       SET outcome = 'failed', closed_at = clock_timestamp(), reason = concat_ws(' — ', a.reason, $2::text)
      FROM ended b
     WHERE a.id = b.id
)
SELECT (SELECT now FROM written) AS now, EXISTS (SELECT FROM ended) AS closed
