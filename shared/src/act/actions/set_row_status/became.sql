-- A row that keeps its status was to get another progress: whoever wrote one since has put that right.
SELECT w.step, w.kind, w.target, {status}::text AS now,
       CASE WHEN {status}::text = w.before ->> 'status'
                 AND (w.after ->> 'status' <> w.before ->> 'status' OR {progress}::text = w.before ->> 'progress') THEN 'open'
            WHEN w.after ->> 'status' IN ({status}::text, w.before ->> 'status') THEN 'right'
            WHEN {status} IS NOT NULL THEN 'otherwise'
       END AS became
  FROM wanted w
  LEFT JOIN {rows} p ON {id} = CASE WHEN w.kind = ANY ({kinds}) THEN w.target::{id type} END
 WHERE w.kind = ANY ({kinds})
