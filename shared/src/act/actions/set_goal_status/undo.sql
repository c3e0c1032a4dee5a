-- Takes a goal's change back, if the goal is still as that change left it: or as it was put back to that by the undo of what was changed
-- after it, which wrote nothing new but the time.
WITH undone AS MATERIALIZED (
    SELECT a.* FROM remediation.actions a
     WHERE a.id = $1 AND a.kind = $7 AND a.outcome = 'applied'
       AND NOT EXISTS (SELECT FROM remediation.actions u WHERE u.undo_of = a.id AND u.outcome = 'applied')
       AND pg_try_advisory_xact_lock(hashtextextended('remediation:' || a.target, 0))
), fresh AS MATERIALIZED (
    SELECT u.*, {goal image} AS now
      FROM undone u JOIN {goals} g ON {goal id} = u.target::uuid
     WHERE ({goal image} = u.after
            OR EXISTS (
               SELECT FROM remediation.actions back JOIN remediation.actions later ON later.id = back.undo_of
                WHERE back.target = u.target AND back.outcome = 'applied' AND back.after = {goal image}
                  AND later.before = u.after AND back.after - 'updatedAt' = later.before - 'updatedAt'))
       FOR NO KEY UPDATE OF g SKIP LOCKED
), written AS (
    UPDATE {goals} g
       SET {set goal status} = (w.before ->> 'status'){as goal status}{touch goal}
      FROM fresh w
     WHERE {goal id} = w.target::uuid
 RETURNING w.target, w.now AS before, {goal image} AS after
), recorded AS (
    INSERT INTO remediation.actions
           (id, run_id, step, kind, target, cause, before, after, outcome, reason, undo_of, closed_at)
    SELECT $2, $3, $4, $5, w.target, 'undo', w.before, w.after, 'applied', $6, $1, clock_timestamp()
      FROM written w
)
SELECT target, before, after FROM written
