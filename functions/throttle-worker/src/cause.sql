-- What the open lease's change was made for.
SELECT a.cause FROM remediation.leases l JOIN remediation.actions a ON a.id = l.action_id
 WHERE l.step = $1 AND l.ended_at IS NULL AND l.confirmed_at IS NULL
 ORDER BY l.created_at DESC LIMIT 1
