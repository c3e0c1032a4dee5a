-- What was closed since $1, and in the time before from $2 on, by what closed it. An index on when rows were closed is enough to find it.
SELECT c.failed, c.code, {type}::text AS kind, c.message, c.execution_error,
       count(*) FILTER (WHERE c.at > $1) AS count,
       count(*) FILTER (WHERE c.at <= $1) AS before,
       min(c.at) FILTER (WHERE c.at > $1) AS first,
       max(c.at) FILTER (WHERE c.at > $1) AS last,
       to_jsonb((array_agg(jsonb_build_object('processId', {id text}, 'at', c.at) ORDER BY c.at DESC, {id})
                     FILTER (WHERE c.at > $1 AND c.failed))[1:$4]) AS newest
  FROM {rows} p
 CROSS JOIN LATERAL (SELECT {has failed} AS failed) f
 CROSS JOIN LATERAL (
       SELECT coalesce({read completed_at}, {read updated_at}) AS at, f.failed,
              CASE WHEN f.failed
                   THEN coalesce(left({code}, 64), CASE WHEN {status} IN ({timed out}) THEN 'TIMEOUT_ERROR' END) END AS code,
              CASE WHEN f.failed THEN left({message}, 2000) END AS message,
              -- Only where the row says nothing itself.
              CASE WHEN f.failed AND coalesce({code}, $3) = $3 THEN (
                   SELECT e.error FROM remediation.executions e
                    WHERE {speaks}
                    ORDER BY e.started_at DESC, e.execution_arn DESC
                    LIMIT 1) END AS execution_error) c
 WHERE {status} NOT IN ({open}) AND coalesce({completed_at}, {updated_at}) > $2
 GROUP BY 1, 2, 3, 4, 5
