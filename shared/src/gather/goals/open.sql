-- What is still open under a goal. A sub-goal that is cancelled takes its actions with it.
(SELECT s.goal_id, 'sub-goal' AS kind, s.id FROM {sub-goal rows} s WHERE s.open
  UNION ALL
 SELECT s.goal_id, 'action', a.id
   FROM {action rows} a JOIN {sub-goal rows} s ON s.id = a.sub_goal_id
  WHERE a.open AND NOT s.cancelled
  UNION ALL
 SELECT m.goal_id, 'process', {id}
   FROM {rows} p JOIN {members} m ON m.member = {target_id}
  WHERE {status} IN ({open}))
