-- Writes rows as they were decided on, and records it, in one transaction.
--
-- A row is written only if nobody works on it (advisory lock; a locked row is passed over, never waited for), if it is
-- the version that was read, and if its newest execution is still the one that the decision rests on, in the state and
-- redrive that were read. Everything else comes back without an image and is decided anew.
WITH wanted AS MATERIALIZED (
    SELECT w.*, pg_try_advisory_xact_lock(hashtextextended('remediation:' || w.id, 0)) AS mine
      FROM ROWS FROM (jsonb_to_recordset($1) AS (
               action uuid, id {id type}, version int8, status text, progress int2, sets_error bool, error jsonb, result jsonb,
               completed_at timestamptz, execution_arn text, redrive_count int4, execution_status text,
               execution_started_at timestamptz, cause text, reason text)) WITH ORDINALITY
           AS w(action, id, version, status, progress, sets_error, error, result, completed_at,
                execution_arn, redrive_count, execution_status, execution_started_at, cause, reason, at)
), fresh AS MATERIALIZED (
    SELECT w.*, {image} AS before
      FROM wanted w
      JOIN {rows} p ON {id} = w.id
     WHERE w.mine
       AND p.xmin = w.version::text::xid
       AND NOT EXISTS (
           SELECT FROM remediation.executions newer
            WHERE newer.process_id = w.id::text
              AND (w.execution_arn IS NULL
                   OR newer.execution_arn <> w.execution_arn
                   AND (newer.started_at, newer.execution_arn) > (w.execution_started_at, w.execution_arn)))
       AND (w.execution_arn IS NULL OR EXISTS (
           SELECT FROM remediation.executions same
            WHERE same.execution_arn = w.execution_arn
              AND same.redrive_count = w.redrive_count
              AND same.status = w.execution_status))
       -- Rows that only refer to this one (a foreign key) do not hinder.
       FOR NO KEY UPDATE OF p SKIP LOCKED
), written AS (
    UPDATE {table} p
       SET {set status} = coalesce(w.status, {status}::text){as status},
           {set progress} = coalesce(w.progress, p.{set progress}),
           {set error} = CASE WHEN w.sets_error THEN w.error ELSE {error} END,
           {set result} = CASE WHEN {has result} THEN {result} ELSE coalesce(w.result, {result}) END,
           {set completed_at} = coalesce(w.completed_at{as completed_at}, p.{set completed_at}),
           {set updated_at} = now(){as updated_at}
      FROM fresh w
     WHERE {id} = w.id AND {ours}
 RETURNING w.action, w.before, {image} AS after,
           -- Read back after the table's own triggers. Times are left out: a column may round them.
           (w.status IS NULL OR {status}::text = w.status)
           AND (w.progress IS NULL OR {progress} = w.progress)
           AND (NOT w.sets_error OR coalesce({error}, 'null') = coalesce(w.error, 'null'))
           AND (w.result IS NULL OR coalesce(jsonb_typeof({result}), 'null') <> 'null') AS as_wanted,
           -- A trigger that lets everything in but the status would leave an error beside an open row: such a row fails as a whole.
           CASE WHEN {status}::text <> w.status AND {status}::text = w.before ->> 'status'
                     AND w.before - 'updatedAt' <> {image} - 'updatedAt' THEN remediation.refuse($6) END AS half_written
), outcome AS MATERIALIZED (
    SELECT w.*, done.action IS NOT NULL AS written, done.before, done.after, done.as_wanted,
           -- The row was there, in its version, and stayed as it was: a trigger or a rule of the table keeps it so without a word.
           fresh.action IS NOT NULL AND (
               done.action IS NULL
               OR NOT done.as_wanted AND done.before - 'updatedAt' = done.after - 'updatedAt') AS kept
      FROM wanted w
      LEFT JOIN fresh ON fresh.action = w.action
      LEFT JOIN written done ON done.action = w.action
), recorded AS (
    INSERT INTO remediation.actions
           (id, run_id, step, kind, target, cause, before, after, outcome, reason, closed_at)
    SELECT w.action, $2, $3, $4, w.id::text, w.cause, w.before, CASE WHEN NOT w.kept THEN w.after END,
           CASE WHEN w.kept THEN 'failed' WHEN NOT w.written THEN 'superseded' ELSE 'applied' END,
           CASE WHEN w.kept THEN w.reason || ' — ' || $6 ELSE w.reason END, clock_timestamp()
      FROM outcome w
     WHERE w.mine
)
-- Images travel only for the rows that the answer will show, and for those that read back otherwise.
SELECT w.mine, w.written, w.as_wanted, w.kept,
       CASE WHEN w.at <= $5 OR NOT w.as_wanted THEN w.before END AS before,
       CASE WHEN w.at <= $5 OR NOT w.as_wanted THEN w.after END AS after
  FROM outcome w
 ORDER BY w.at
