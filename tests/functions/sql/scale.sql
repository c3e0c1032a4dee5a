-- A large installation: {history} closed processes of the last thirty days, 20,000 open ones; 2,000 of all that ask for something, and
-- 500 that failed and may be tried again.
-- The guide's table; the same rows every time.

-- The history, the newest two hours old. One in twenty failed, for good; nobody's execution is remembered for more than a day.
INSERT INTO public.processing_state (id, user_id, type, status, target_id, progress, result, error, created_at, updated_at, completed_at)
SELECT md5('history ' || n)::uuid, md5('user ' || n % 5000)::uuid, 'SUBGOAL_GENERATION',
       CASE WHEN n % 20 > 0 THEN 'COMPLETED' ELSE 'FAILED' END, md5('target ' || n)::uuid, 100,
       CASE WHEN n % 20 > 0 THEN '{"items": ["one", "two", "three"]}'::jsonb END,
       CASE WHEN n % 20 = 0 THEN '{"code": "VALIDATION_ERROR", "message": "not valid"}'::jsonb END,
       at - interval '40 seconds', at, at
  FROM generate_series(1, {history}) AS n,
       LATERAL (SELECT now() - interval '2 hours' - n * interval '30 days' / {history} AS at) AS closed;

-- Open ones: 18,800 run in time, 500 of them with a progress out of range; 700 ended and their last update was lost; 500 ran out of
-- their time without an execution. Beside them, 500 failed for a moment, and 300 were cancelled yesterday and run again.
WITH made AS (
    SELECT n, md5('open ' || n)::uuid AS id,
           CASE WHEN n <= 18800 THEN 'running' WHEN n <= 19500 THEN 'ended' WHEN n <= 20000 THEN 'late'
                WHEN n <= 20500 THEN 'failed' ELSE 'cancelled' END AS lot,
           date_trunc('milliseconds', now()) - CASE WHEN n <= 18800 OR n > 20500 THEN interval '4 minutes' WHEN n <= 20000 THEN interval '30 minutes'
                                                    ELSE interval '3 hours' END AS started_at
      FROM generate_series(1, 20800) AS n
), processes AS (
    INSERT INTO public.processing_state
           (id, user_id, type, status, target_id, progress, error, created_at, updated_at, completed_at)
    SELECT id, md5('user ' || n % 5000)::uuid, 'SUBGOAL_GENERATION',
           CASE lot WHEN 'failed' THEN 'FAILED' WHEN 'cancelled' THEN 'CANCELLED'
                    ELSE CASE WHEN n % 4 = 0 AND n > 500 THEN 'PENDING' ELSE 'PROCESSING' END END,
           md5('open target ' || n)::uuid, CASE WHEN n <= 500 THEN 120 ELSE 40 END,
           CASE lot WHEN 'failed' THEN '{"code": "AI_ERROR", "message": "the model did not answer"}'::jsonb END,
           accepted_at, accepted_at + interval '5 seconds',
           CASE WHEN lot IN ('failed', 'cancelled') THEN accepted_at + interval '30 seconds' END
      FROM made, LATERAL (SELECT started_at - CASE lot WHEN 'cancelled' THEN interval '25 hours' ELSE interval '0' END AS accepted_at) AS a
)
INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, stopped_at, error, cause, ending_known)
SELECT '{executions}:' || id || '-' || (extract(epoch FROM started_at) * 1000)::int8, id,
       CASE lot WHEN 'ended' THEN 'FAILED' WHEN 'failed' THEN 'FAILED' ELSE 'RUNNING' END, started_at,
       CASE WHEN lot IN ('ended', 'failed') THEN started_at + interval '30 seconds' END,
       CASE WHEN lot IN ('ended', 'failed') THEN 'AI_ERROR' END, NULL, lot IN ('ended', 'failed')
  FROM made
 WHERE lot <> 'late';

INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, stopped_at, ending_known)
SELECT '{executions}:' || id || '-1', id, CASE status WHEN 'COMPLETED' THEN 'SUCCEEDED' ELSE 'FAILED' END, created_at, completed_at, true
  FROM public.processing_state
 WHERE completed_at > now() - interval '1 day' AND created_at < now() - interval '1 hour' AND status IN ('COMPLETED', 'FAILED')
    ON CONFLICT DO NOTHING;

-- The limits of a usual installation are smaller: here everything is to be done in one run.
INSERT INTO remediation.controls (step, actions_per_run, actions_per_hour, share)
SELECT step, 10000, 10000, 1
  FROM unnest('{reconcile-processes, fail-timed-out-processes, repair-progress}'::text[]) AS step;
