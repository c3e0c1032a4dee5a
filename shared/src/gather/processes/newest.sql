  LEFT JOIN LATERAL (
       SELECT * FROM remediation.executions e
        WHERE e.process_id = {id}
        ORDER BY e.started_at DESC, e.execution_arn DESC
        LIMIT 1) e ON true
