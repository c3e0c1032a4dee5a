 WHERE {id} > $1::{id type}
   AND {is cancelled}
   AND e.status = 'RUNNING'
   -- Cancelled rows pile up for ever, few executions run at once: these lead to their rows (index executions_running).
   AND {id} IN (SELECT {as id r.process_id} FROM remediation.executions r WHERE r.status = 'RUNNING')
 ORDER BY {id}
 LIMIT $2
