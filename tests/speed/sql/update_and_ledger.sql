-- The same with a ledger entry for each row: what the record itself costs, with no decision and no check.
WITH ended AS MATERIALIZED (
    SELECT p.id, e.execution_arn, e.status, e.error, e.cause, e.stopped_at,
           jsonb_build_object('status', p.status, 'progress', p.progress, 'error', p.error, 'result', 'md5:' || md5(p.result::text),
                              'completedAt', to_jsonb(p.completed_at AT TIME ZONE 'UTC'),
                              'updatedAt', to_jsonb(p.updated_at AT TIME ZONE 'UTC')) AS before
      FROM public.processing_state p
      JOIN remediation.executions e ON e.process_id = p.id::text
     WHERE p.status IN ('PENDING', 'PROCESSING')
       AND e.status IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED')
), written AS (
    UPDATE public.processing_state p
       SET status = CASE e.status WHEN 'SUCCEEDED' THEN 'COMPLETED' WHEN 'ABORTED' THEN 'CANCELLED' ELSE 'FAILED' END,
           progress = CASE e.status WHEN 'SUCCEEDED' THEN 100 ELSE p.progress END,
           error = CASE WHEN e.status = 'SUCCEEDED' THEN NULL
                        WHEN e.status = 'ABORTED' THEN p.error
                        ELSE jsonb_build_object(
                            'code', CASE e.status WHEN 'FAILED' THEN e.error ELSE 'TIMEOUT_ERROR' END,
                            'message', CASE e.status WHEN 'FAILED' THEN e.cause::jsonb ->> 'errorMessage'
                                                     ELSE '処理が制限時間内に終わりませんでした。' END,
                            'cause', e.cause,
                            'source', 'remediation',
                            'executionArn', e.execution_arn,
                            'timestamp', now()) END,
           completed_at = e.stopped_at,
           updated_at = now()
      FROM ended e
     WHERE p.id = e.id
 RETURNING p.id, e.before, e.execution_arn,
           jsonb_build_object('status', p.status, 'progress', p.progress, 'error', p.error, 'result', 'md5:' || md5(p.result::text),
                              'completedAt', to_jsonb(p.completed_at AT TIME ZONE 'UTC'),
                              'updatedAt', to_jsonb(p.updated_at AT TIME ZONE 'UTC')) AS after
)
INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, before, after, outcome, reason, closed_at)
SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000000', 'reconcile-processes', 'set-row-status', id, 'ended',
       before, after, 'applied', 'execution ' || execution_arn || ' is over and the row does not say so', clock_timestamp()
  FROM written
