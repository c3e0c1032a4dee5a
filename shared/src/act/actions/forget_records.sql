-- Deletes the oldest rows of a table, at most $3 of them: those between $2 and $1 that nothing rests on any more. Says how many, and the
-- time of the youngest, from which the next call goes on.
--
-- By the rows' places: a join by key may be planned as a scan of the whole table. What somebody is just writing is left for the next day.
WITH gone AS (
    DELETE FROM remediation.{relation} d
     WHERE d.ctid = ANY (ARRAY(
           SELECT t.ctid FROM remediation.{relation} t
            WHERE {of the step}{old} AND t.{time} >= coalesce($2, '-infinity') AND t.{time} < $1
            ORDER BY t.{time}
            LIMIT $3
              FOR UPDATE SKIP LOCKED))
 RETURNING d.{time} AS at
)
SELECT count(*), max(at) FROM gone
