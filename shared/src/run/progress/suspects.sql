-- Rows, each with its newest execution and the highest progress that was seen of it in its present attempt.
SELECT c.*, k.highest
  FROM ({cases}) c
  LEFT JOIN remediation.progress k
    ON k.process_id = c.id AND c.status = 'PROCESSING'
   AND k.attempt = concat_ws('/', c.execution_arn, c.redrive_count, c.retries)
 ORDER BY c.id
