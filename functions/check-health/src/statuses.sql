-- How many rows are open, and how many were closed since $1. The two halves are apart so that each can use an index of its own.
SELECT status, count(*) AS rows
  FROM (SELECT {status name} AS status FROM {rows} p WHERE {status} IN ({open})
        UNION ALL
        SELECT CASE WHEN {is cancelled} THEN 'CANCELLED' ELSE {status name} END FROM {rows} p
         WHERE coalesce({completed_at}, {updated_at}) > $1 AND {status} NOT IN ({open})) counted
 GROUP BY status
 ORDER BY count(*) DESC, status
