-- A row that is no longer failed was tried once more: by its user, or by a person.
SELECT w.step, w.kind, w.target, {status}::text AS now,
       CASE WHEN {is cancelled} THEN 'otherwise'
            WHEN {status}::text = w.before ->> 'status' THEN 'open'
            WHEN {status} IS NOT NULL THEN 'right'
       END AS became
  FROM wanted w
  LEFT JOIN {rows} p ON {id} = CASE WHEN w.kind = ANY ({kinds}) THEN w.target::{id type} END
 WHERE w.kind = ANY ({kinds})
