 WHERE {id} > $1
   -- Follows from what comes next. Said of the row alone, it spares all others the look-up of their executions, and can use an index.
   AND ({status} IN ({open}) OR coalesce({completed_at}, {updated_at}) > $3)
   AND ({status} IN ({open})
        -- A status that nobody knows is nobody's business here.
        OR {status} IN ({completed}, {failed}, {cancelled}) AND coalesce({completed_at}, {updated_at}) > $3
           AND e.status IS NOT NULL
           -- What agrees needs no look; the decision table has the last word on the rest.
           AND NOT ({status} IN ({completed}) AND e.status = 'SUCCEEDED')
           AND NOT ({status} NOT IN ({completed}) AND e.status IN ('FAILED', 'TIMED_OUT', 'ABORTED')))
 ORDER BY {id}
 LIMIT $2
