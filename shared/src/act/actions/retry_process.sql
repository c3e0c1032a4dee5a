-- Re-opens a failed row for one more attempt, registers the execution that it gets, and records it: all before that is started.
--
-- Only the row that was read, still closed as failed and still wanted by its user; only while its newest execution is the one
-- that was looked at and is over; only while nothing else is under way on it; only for an execution that nobody knows yet.
WITH fresh AS MATERIALIZED (
    SELECT {image} || {attempt image} AS before
      FROM {rows} p
     WHERE {id} = $5::{id type}
       AND p.xmin = $6::text::xid
       AND {is failed}
       AND NOT {superseded}
       AND EXISTS (
           SELECT FROM remediation.executions same
            WHERE same.execution_arn = $7 AND same.redrive_count = $8 AND same.status = $9)
       AND NOT EXISTS (
           SELECT FROM remediation.executions newer
            WHERE newer.process_id = $5 AND newer.execution_arn <> $7
              AND (newer.started_at, newer.execution_arn) > ($10, $7))
       AND NOT EXISTS (SELECT FROM remediation.executions e WHERE e.execution_arn = $11)
       AND NOT EXISTS (SELECT FROM remediation.actions a WHERE a.target = $5::text AND a.outcome = 'applying')
       FOR NO KEY UPDATE OF p SKIP LOCKED
), reopened AS (
    UPDATE {table} p
       SET {set status} = {pending word}::text{as status},
           {set progress} = 0,
           {set error} = NULL::jsonb,
           {set arn} = $11::text,
           {set completed_at} = NULL,
           {set retry_count} = coalesce(p.{set retry_count}, 0) + 1,
           {set updated_at} = now(){as updated_at}
      FROM fresh
     WHERE {id} = $5::{id type} AND {ours}
 RETURNING fresh.before,
           {image} || {attempt image} || jsonb_build_object(
               'executionArn', $11::text, 'attempt', $12::int4, 'registeredAt', now()) AS after
), registered AS (
    INSERT INTO remediation.executions (execution_arn, process_id, status, started_at)
    SELECT $11, $5, 'RUNNING', now() FROM reopened
), recorded AS (
    INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, before, after, outcome, reason, alive_until)
    SELECT $1, $2, $3, $4, $5::text, $13, before, after, 'applying', $14, $15 FROM reopened
)
-- Where the row was there and stays closed, a trigger of the table keeps it so without a word: nothing may be started then.
SELECT fresh.before, reopened.after, coalesce(reopened.after ->> 'status' = {pending word}, false) AS reopened
  FROM fresh LEFT JOIN reopened ON true
