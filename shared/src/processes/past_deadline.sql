 WHERE {id} > $1
   AND ({status} IN ({pending}) AND {created_at} <= $3
        OR {status} IN ({processing}) AND {created_at} <= $4)
 ORDER BY {id}
 LIMIT $2
