-- The rows closed since $1, by what closed them.
SELECT f.failed, c.code, c.message, c.execution_error, count(*)
  FROM {rows} p
 CROSS JOIN LATERAL (SELECT {has failed} AS failed) f
 CROSS JOIN LATERAL (
       SELECT CASE WHEN f.failed THEN {code} END AS code,
              CASE WHEN f.failed THEN left({message}, 2000) END AS message,
              -- Only where the row says nothing itself.
              CASE WHEN f.failed AND coalesce({code}, $2) = $2 THEN (
                   SELECT e.error FROM remediation.executions e
                    WHERE {speaks}
                    ORDER BY e.started_at DESC, e.execution_arn DESC
                    LIMIT 1) END AS execution_error) c
 WHERE {status} NOT IN ({open}) AND coalesce({completed_at}, {updated_at}) > $1
 GROUP BY 1, 2, 3, 4
