-- Processes, what each works for, and what is open under its goal: for all of them in one answer. $2 names goals that are looked
-- at without a process.
WITH looked_at AS MATERIALIZED (
    (SELECT {id} AS id, {status} IN ({open}) AS open, {status} IN ({completed}) AS completed,
            {error code} AS code, left({error message}, 4000) AS message, {target_id} AS target
       FROM {rows} p
      WHERE {which})
     UNION ALL
    SELECT NULL, false, false, NULL, NULL, g.id FROM {goal rows} g WHERE g.id = ANY ($2)
), placed AS MATERIALIZED (
    SELECT l.*, coalesce(g.id, s.id, a.id) IS NOT NULL AS found,
           s.id AS sub_goal, s.goal_id AS goal_of_sub_goal,
           a.id AS action, a.sub_goal_id AS sub_goal_of_action,
           above.id AS sub_goal_above, above.goal_id AS goal_above,
           coalesce(g.id, up.id) AS goal, coalesce(g.version, up.version) AS version,
           coalesce(g.status, up.status) AS status
      FROM looked_at l
      -- Ids are UUIDs, so that one is in one table at most, whatever the process's type says.
      LEFT JOIN {goal rows} g ON g.id = l.target
      LEFT JOIN {sub-goal rows} s ON s.id = l.target
      LEFT JOIN {action rows} a ON a.id = l.target
      LEFT JOIN {sub-goal rows} above ON above.id = a.sub_goal_id
      LEFT JOIN {goal rows} up ON up.id = coalesce(s.goal_id, above.goal_id)
), orphan AS (
    SELECT id AS process, 'sub-goal' AS kind, sub_goal AS id, goal_of_sub_goal AS missing
      FROM placed WHERE goal_of_sub_goal IS NOT NULL AND goal IS NULL
     UNION ALL
    SELECT id, 'sub-goal', sub_goal_above, goal_above FROM placed WHERE goal_above IS NOT NULL AND goal IS NULL
     UNION ALL
    SELECT id, 'action', action, sub_goal_of_action
      FROM placed WHERE sub_goal_of_action IS NOT NULL AND sub_goal_above IS NULL
     UNION ALL
    -- What a target that is gone has left behind.
    SELECT l.id, 'sub-goal', s.id, s.goal_id FROM placed l JOIN {sub-goal rows} s ON s.goal_id = l.target WHERE NOT l.found
     UNION ALL
    SELECT l.id, 'action', a.id, a.sub_goal_id FROM placed l JOIN {action rows} a ON a.sub_goal_id = l.target WHERE NOT l.found
), orphans AS (
    SELECT process, jsonb_agg(jsonb_build_object('kind', kind, 'id', id, 'missing', missing) ORDER BY id) AS list
      FROM orphan GROUP BY process
), open AS (
    SELECT c.goal_id, count(*) FILTER (WHERE c.kind = 'sub-goal') AS sub_goals,
           count(*) FILTER (WHERE c.kind = 'action') AS actions,
           count(*) FILTER (WHERE c.kind = 'process') AS processes
      FROM {open children} c
     -- As an array, so that an index on the parent's id serves, where there is one.
     WHERE c.goal_id = ANY (ARRAY(SELECT DISTINCT goal FROM placed WHERE status <> 'ACTIVE'))
       -- Those that are looked at have failed, whether or not their rows say so yet.
       AND c.id NOT IN (SELECT id FROM looked_at WHERE id IS NOT NULL)
     GROUP BY c.goal_id
)
SELECT l.id, l.open, l.completed, l.code, l.message, l.target, l.found, coalesce(orphans.list, '[]') AS orphans,
       l.goal, l.version, l.status, coalesce(open.sub_goals, 0) AS open_sub_goals,
       coalesce(open.actions, 0) AS open_actions, coalesce(open.processes, 0) AS open_processes,
       e.execution_arn, e.status AS execution_status, e.redrive_count, e.started_at, e.says_failed,
       e.error AS execution_error
  FROM placed l
  LEFT JOIN orphans ON orphans.process = l.id
  LEFT JOIN open ON open.goal_id = l.goal
  LEFT JOIN LATERAL (
       SELECT * FROM remediation.executions e
        WHERE e.process_id = l.id::text
        ORDER BY e.started_at DESC, e.execution_arn DESC
        LIMIT 1) e ON true
 ORDER BY l.id
