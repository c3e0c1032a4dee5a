-- Signals a session if it is still exactly where it was when it was decided on: the same session, transaction, statement and state,
-- protected by nothing, of an allowed application, and, where that was the reason, with somebody still waiting for it.
WITH sessions AS MATERIALIZED (
{sessions}
)
SELECT CASE WHEN $1 THEN pg_terminate_backend(s.pid) ELSE pg_cancel_backend(s.pid) END
  FROM sessions s
 WHERE s.pid = $2
   AND s.backend_start = $3
   AND s.xact_start IS NOT DISTINCT FROM $4
   AND s.query_start IS NOT DISTINCT FROM $5
   AND s.state_change IS NOT DISTINCT FROM $6
   AND s.state = $7
   AND s.protection IS NULL
   AND s.application = $8
   AND (NOT $9 OR EXISTS (SELECT FROM sessions w WHERE s.pid = ANY (w.blocked_by)))
