 WHERE {id} > $1
   AND {status} IN ({processing}) AND {updated_at} <= $3
 ORDER BY {id}
 LIMIT $2
