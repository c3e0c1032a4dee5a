 -- Open rows are few, and a partial index of their ids alone leads to them, where there is one.
 WHERE {id} = ANY (ARRAY (
           SELECT {id} FROM {rows} p
            WHERE {status} IN ({open}) AND {id} > $1::{id type}
              AND ({status} IN ({pending}) AND {created_at} <= $3
                   OR {status} IN ({processing}) AND {created_at} <= coalesce(now() - make_interval(secs => {deadline}), $4))
            ORDER BY {id}
            LIMIT $2))
 ORDER BY {id}
 LIMIT $2
