-- Of all open rows: how many would be closed (their execution is over, or their deadline has passed), and how many executions stopped first,
-- as far as the database knows; where $1, those past their deadline only. PENDING is due before $2, PROCESSING before $3.
SELECT count(*) FILTER (WHERE due OR NOT $1 AND over),
       count(*) FILTER (WHERE due AND running)
  FROM (SELECT CASE WHEN {status} IN ({pending}) THEN {created_at} <= $2 ELSE {created_at} <= coalesce(now() - make_interval(secs => {deadline}), $3) END AS due,
               coalesce(e.status NOT IN ('RUNNING', 'PENDING_REDRIVE'), false) AS over, coalesce(e.status = 'RUNNING', false) AS running
          FROM {rows} p
