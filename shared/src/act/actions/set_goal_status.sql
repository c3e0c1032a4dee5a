-- Sets a goal ACTIVE, and records it, in one transaction.
--
-- It is written only if nobody works on it (advisory lock; a locked row is passed over, never waited for), if it is the version and
-- in the status that were read, and if something under it is still open. Else it comes back without an image and is decided anew.
WITH wanted AS MATERIALIZED (
    SELECT $1::uuid AS action, $2::uuid AS id, pg_try_advisory_xact_lock(hashtextextended('remediation:' || $2::uuid, 0)) AS mine
), fresh AS MATERIALIZED (
    SELECT w.action, w.id, {goal image} AS before
      FROM wanted w
      JOIN {goals} g ON {goal id} = w.id
     WHERE w.mine
       AND g.xmin = $3::int8::text::xid
       AND {goal status}::text = $4
       AND EXISTS (SELECT FROM {open children} c WHERE c.goal_id = $2 AND c.id IS DISTINCT FROM $5::uuid)
       -- Rows that only refer to this one (a foreign key) do not hinder.
       FOR NO KEY UPDATE OF g SKIP LOCKED
), written AS (
    UPDATE {goals} g
       SET {set goal status} = 'ACTIVE'{touch goal}
      FROM fresh w
     WHERE {goal id} = w.id
 RETURNING w.action, w.before, {goal image} AS after,
           -- Read back after the table's own triggers.
           {goal status}::text = 'ACTIVE' AS as_wanted
), recorded AS (
    INSERT INTO remediation.actions
           (id, run_id, step, kind, target, cause, before, after, outcome, reason, closed_at)
    SELECT w.action, $6, $7, $8, w.id, $9, done.before, done.after,
           CASE WHEN done.action IS NOT NULL THEN 'applied' WHEN fresh.action IS NOT NULL THEN 'failed' ELSE 'superseded' END,
           CASE WHEN done.action IS NULL AND fresh.action IS NOT NULL THEN $10 || ' — ' || $11 ELSE $10 END, clock_timestamp()
      FROM wanted w
      LEFT JOIN fresh ON fresh.action = w.action
      LEFT JOIN written done ON done.action = w.action
     WHERE w.mine
)
SELECT w.mine, done.action IS NOT NULL AS written, done.as_wanted, done.before, done.after,
       -- A trigger of the table keeps the goal as it is, without a word.
       done.action IS NULL AND fresh.action IS NOT NULL AS kept
  FROM wanted w
  LEFT JOIN fresh ON fresh.action = w.action
  LEFT JOIN written done ON done.action = w.action
