-- What an operator would type to the same end: no decision, no check that a row is as it was seen, no record.
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
  FROM remediation.executions e
 WHERE e.process_id = p.id::text
   AND p.status IN ('PENDING', 'PROCESSING')
   AND e.status IN ('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED')
