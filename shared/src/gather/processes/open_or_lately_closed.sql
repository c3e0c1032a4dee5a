 -- Each branch is found by an index of its own, where there is one; one OR of both would read the whole table in the order of ids.
 WHERE {id} = ANY (ARRAY (
           -- All open ones are wanted: a page needs no more of them.
           (SELECT {id} FROM {rows} p WHERE {status} IN ({open}) AND {id} > $1::{id type} ORDER BY {id} LIMIT $2)
            UNION ALL
           -- A status that nobody knows is nobody's business here.
           SELECT {id} FROM {rows} p
            WHERE {status} IN ({completed}, {failed}, {cancelled}) AND coalesce({completed_at}, {updated_at}) > $3 AND {id} > $1::{id type}))
   AND ({status} IN ({open})
        OR e.status IS NOT NULL
           -- What agrees needs no look; the decision table has the last word on the rest.
           AND NOT ({status} IN ({completed}) AND e.status = 'SUCCEEDED' AND e.says_failed IS NOT TRUE)
           AND NOT ({status} NOT IN ({completed}) AND (e.status IN ('FAILED', 'TIMED_OUT', 'ABORTED') OR e.says_failed IS TRUE))
        OR {status} IN ({completed})
           -- A result is large, and is read only where the output is not known to be well.
           AND ({error code} IS NOT NULL OR e.says_failed IS NOT FALSE AND {result fails}))
 ORDER BY {id}
 LIMIT $2
