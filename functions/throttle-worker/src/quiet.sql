-- When the alarm's last incident closed, and what the open lease's change was made for.
SELECT (SELECT closed_at FROM remediation.incidents
         WHERE closed_at IS NOT NULL AND right(alarm, length($1)) = $1
         ORDER BY closed_at DESC LIMIT 1) AS closed_at,
       (SELECT a.cause FROM remediation.leases l JOIN remediation.actions a ON a.id = l.action_id
         WHERE l.step = $2 AND l.ended_at IS NULL AND l.confirmed_at IS NULL
         ORDER BY l.created_at DESC LIMIT 1) AS cause
