-- The incident $1, with those that are one with it.
SELECT b.id AS root, b.alarm, b.opened_at AS began_at, b.acknowledged_at, b.acknowledged_by,
       (SELECT CASE WHEN bool_and(i.closed_at IS NOT NULL) THEN max(i.closed_at) END
          FROM remediation.incidents i WHERE i.id = b.id OR i.continues = b.id) AS over_at
  FROM remediation.incidents n
  JOIN remediation.incidents b ON b.id = coalesce(n.continues, n.id)
 WHERE n.id = $1
