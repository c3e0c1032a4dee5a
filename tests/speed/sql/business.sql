-- {rows} rows of business for every sweep, whose executions are known: a quarter was cancelled and still runs, a quarter failed for a moment,
-- and half is open although its executions have ended, a part of that with a progress out of range.
WITH made AS (
    SELECT n, md5('business ' || n)::uuid AS id,
           CASE n % 4 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'failed' ELSE 'open' END AS lot,
           date_trunc('milliseconds', now()) - interval '3 hours' + n * interval '1 millisecond' AS started_at
      FROM generate_series(1, {rows}) AS n
), processes AS (
    INSERT INTO public.processing_state
           (id, user_id, type, status, target_id, progress, error, created_at, updated_at, completed_at)
    SELECT id, md5('user ' || n % 5000)::uuid, 'SUBGOAL_GENERATION',
           CASE lot WHEN 'failed' THEN 'FAILED' WHEN 'cancelled' THEN 'CANCELLED' ELSE 'PROCESSING' END,
           md5('target ' || n)::uuid, CASE WHEN lot = 'open' AND n % 8 > 3 THEN 140 ELSE 40 END,
           CASE lot WHEN 'failed' THEN '{"code": "AI_ERROR", "message": "the model did not answer"}'::jsonb END,
           started_at - interval '1 second', started_at + interval '5 seconds',
           CASE WHEN lot IN ('failed', 'cancelled') THEN started_at + interval '30 seconds' END
      FROM made
)
INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, stopped_at, error, cause, ending_known)
SELECT '{executions}:' || id || '-' || (extract(epoch FROM started_at) * 1000)::int8, id,
       CASE WHEN lot = 'cancelled' THEN 'RUNNING' ELSE 'FAILED' END, started_at,
       CASE WHEN lot <> 'cancelled' THEN started_at + interval '30 seconds' END,
       CASE WHEN lot <> 'cancelled' THEN 'AI_ERROR' END,
       CASE WHEN lot <> 'cancelled' THEN '{"errorType":"AIError","errorMessage":"The model answered nothing (' || n || ').","trace":[]}' END,
       lot <> 'cancelled'
  FROM made;
