-- Takes a row change back, if the row is still as that change left it: or as it was put back to that by the undo of what was changed
-- after it, which wrote nothing new but the time.
WITH undone AS MATERIALIZED (
    SELECT a.* FROM remediation.actions a
     WHERE a.id = $1 AND a.kind = $7 AND a.outcome = 'applied'
       AND NOT EXISTS (SELECT FROM remediation.actions u WHERE u.undo_of = a.id AND u.outcome = 'applied')
       AND pg_try_advisory_xact_lock(hashtextextended('remediation:' || a.target, 0))
), fresh AS MATERIALIZED (
    SELECT u.*, {image} AS now
      FROM undone u JOIN {rows} p ON {id} = u.target::{id type}
     WHERE ({image} = u.after
            OR EXISTS (
               SELECT FROM remediation.actions back JOIN remediation.actions later ON later.id = back.undo_of
                WHERE back.target = u.target AND back.outcome = 'applied' AND back.after = {image}
                  AND later.before = u.after AND back.after - 'updatedAt' = later.before - 'updatedAt'))
       FOR NO KEY UPDATE OF p SKIP LOCKED
), written AS (
    UPDATE {table} p
       SET {set status} = (w.before ->> 'status'){as status},
           {set progress} = (w.before ->> 'progress'){as progress},
           {set error} = CASE WHEN jsonb_typeof(w.before -> 'error') = 'null' THEN NULL::jsonb ELSE w.before -> 'error' END,
           {set result} = CASE WHEN w.before ->> 'result' IS NULL THEN NULL ELSE {result} END,
           {set completed_at} = ((w.before ->> 'completedAt')::timestamp AT TIME ZONE 'UTC'){as completed_at},
           {set updated_at} = now(){as updated_at}
      FROM fresh w
     WHERE {id} = w.target::{id type} AND {ours}
 RETURNING w.target, w.now AS before, {image} AS after
), recorded AS (
    INSERT INTO remediation.actions
           (id, run_id, step, kind, target, cause, before, after, outcome, reason, undo_of, closed_at)
    SELECT $2, $3, $4, $5, w.target, 'undo', w.before, w.after, 'applied', $6, $1, clock_timestamp()
      FROM written w
)
SELECT target, before, after FROM written
