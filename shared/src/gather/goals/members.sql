-- A goal, its sub-goals and their actions: whatever a process may work for.
(SELECT g.id AS goal_id, g.id AS member FROM {goal rows} g
  UNION ALL
 SELECT s.goal_id, s.id FROM {sub-goal rows} s
  UNION ALL
 SELECT s.goal_id, a.id FROM {action rows} a JOIN {sub-goal rows} s ON s.id = a.sub_goal_id)
