  LEFT JOIN LATERAL (
       SELECT * FROM remediation.executions e
        WHERE {speaks}
        ORDER BY e.started_at DESC, e.execution_arn DESC
        LIMIT 1) e ON true
