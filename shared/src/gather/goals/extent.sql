-- How many goals there are behind all processes that have failed since $1, and how many of them are COMPLETED although work under them is open.
WITH target AS MATERIALIZED (
    SELECT DISTINCT {target_id} AS id
      FROM {rows} p
     WHERE {status} IN ({failed}) AND coalesce({completed_at}, {updated_at}) > $1 AND {target_id} IS NOT NULL
), goal AS MATERIALIZED (
    SELECT DISTINCT g.id, g.status
      FROM target t
      LEFT JOIN {sub-goal rows} s ON s.id = t.id
      LEFT JOIN {action rows} a ON a.id = t.id
      LEFT JOIN {sub-goal rows} above ON above.id = a.sub_goal_id
      JOIN {goal rows} g ON g.id = coalesce(s.goal_id, above.goal_id, t.id)
)
SELECT (SELECT count(*) FROM goal),
       (SELECT count(DISTINCT c.goal_id) FROM {open children} c
         WHERE c.goal_id = ANY (ARRAY(SELECT id FROM goal WHERE status = 'COMPLETED')))
