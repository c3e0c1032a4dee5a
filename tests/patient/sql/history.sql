-- $1 rows of processes that were closed within the thirty days before $2, the newest two hours ago: nine of ten
-- succeeded, the others failed as such things fail.
WITH closed AS (
    SELECT n,
           md5('process ' || n)::uuid AS id,
           md5('user ' || n % 400)::uuid AS user_id,
           (ARRAY['SUBGOAL_GENERATION', 'ACTION_GENERATION', 'TASK_GENERATION'])[1 + n % 3] AS type,
           CASE WHEN n % 100 < 92 THEN 'COMPLETED' WHEN n % 100 < 97 THEN 'FAILED'
                WHEN n % 100 < 98 THEN 'TIMEOUT' ELSE 'CANCELLED' END AS status,
           (ARRAY['AI_ERROR', 'VALIDATION_ERROR', 'DATABASE_ERROR', 'AI_ERROR'])[1 + n / 100 % 4] AS code,
           -- The spread of a year's generations: 15 to 75 s; a timed out one took its ten minutes.
           CASE WHEN n % 100 = 97 THEN 600 ELSE 15 + (n * 7919) % 60 END * interval '1 second' AS took,
           $2::timestamptz - interval '2 hours' - (n - 1) * interval '30 days' / $1 AS completed_at
      FROM generate_series(1, $1::int) AS n
)
INSERT INTO {processes} (id, {user_id}, type, status, progress, result, error, {created_at}, {updated_at}, {completed_at})
SELECT id, user_id, type::{type type}, status::{status type},
       CASE status WHEN 'COMPLETED' THEN 100 ELSE 10 + n % 8 * 10 END,
       CASE status WHEN 'COMPLETED' THEN jsonb_build_object('items', (
           SELECT jsonb_agg(jsonb_build_object('title', 'サブ目標 ' || i, 'description', md5(n || ' ' || i)))
             FROM generate_series(1, 8) AS i)) END,
       CASE status WHEN 'FAILED' THEN jsonb_build_object('code', code, 'message', '処理に失敗しました')
                   WHEN 'TIMEOUT' THEN jsonb_build_object('code', 'TIMEOUT_ERROR', 'message', '処理時間が制限を超えました') END,
       (completed_at - took){utc}, completed_at{utc}, completed_at{utc}
  FROM closed
