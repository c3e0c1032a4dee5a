 -- Each branch is found by an index of its own, where there is one.
 WHERE {id} = ANY (ARRAY (
       -- Word for word the condition of the partial index that `migrate` proposes.
       SELECT {id} FROM {rows} p WHERE {progress} < 0 OR {progress} > 100
        UNION
       SELECT {id} FROM remediation.progress k JOIN {rows} p ON {id} = {as id k.process_id}
        WHERE {status} IN ({processing}) AND coalesce({progress}, 0) < k.highest))
   -- A status that nobody knows is nobody's business here.
   AND {status} IN ({open}, {completed}, {failed}, {cancelled})
 ORDER BY {id}
 LIMIT $1
