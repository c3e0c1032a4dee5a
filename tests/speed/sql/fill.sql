-- Open rows, each with one execution that is known and over an hour ago: of ten, four succeeded and left their result in the
-- row, three failed, two timed out and one was aborted by a person. The same rows every time.
WITH made AS (
    SELECT i, md5('process ' || i)::uuid AS id, i % 10 AS lot,
           date_trunc('milliseconds', now()) - interval '6 hours' + i * interval '100 milliseconds' AS started_at
      FROM generate_series(1, {rows}) AS i
), processes AS (
    INSERT INTO public.processing_state
           (id, user_id, type, status, target_id, progress, result, retry_count, created_at, updated_at)
    SELECT id, md5('user ' || i % 1000)::uuid, 'SUBGOAL_GENERATION', 'PROCESSING', md5('target ' || i)::uuid, 40,
           CASE WHEN lot < 4 THEN jsonb_build_object('subGoals', jsonb_build_array(
               jsonb_build_object('title', 'Run ' || i || ' kilometres', 'description', repeat('Step by step. ', 6)),
               jsonb_build_object('title', 'Rest', 'description', repeat('A day without. ', 6)))) END,
           0, started_at - interval '1 second', started_at + interval '30 seconds'
      FROM made
)
INSERT INTO remediation.executions
       (execution_arn, process_id, status, started_at, stopped_at, error, cause, ending_known, says_failed)
SELECT '{executions}:' || id || '-' || (extract(epoch FROM started_at) * 1000)::int8, id,
       CASE WHEN lot < 4 THEN 'SUCCEEDED' WHEN lot < 7 THEN 'FAILED' WHEN lot < 9 THEN 'TIMED_OUT' ELSE 'ABORTED' END,
       started_at, started_at + interval '60 seconds',
       CASE WHEN lot < 4 THEN NULL WHEN lot < 7 THEN 'AI_ERROR' WHEN lot < 9 THEN 'States.Timeout'
            ELSE 'ManualCancellation' END,
       CASE WHEN lot < 4 THEN NULL
            WHEN lot < 7 THEN '{"errorType":"AIError","errorMessage":"The model answered nothing that can be read (' || i
                              || ').","trace":["AIError: The model answered nothing","    at Runtime.handler (index.js:61:9)"]}'
            WHEN lot < 9 THEN NULL
            ELSE 'Cancelled by the user.' END,
       true, CASE WHEN lot < 4 THEN false END
  FROM made;

INSERT INTO remediation.controls (step, actions_per_run, actions_per_hour, share)
VALUES ('reconcile-processes', 2 * {rows}, 2 * {rows}, 1);
