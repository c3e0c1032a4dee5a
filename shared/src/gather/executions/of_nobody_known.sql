-- Executions ($1) whose names tell no process, or one ($2) that has no row, and that are not known.
SELECT s.arn
  FROM unnest($1::text[], $2::text[]) AS s(arn, process)
 WHERE NOT EXISTS (SELECT FROM {rows} p WHERE {id} = s.process::{id type})
   AND NOT EXISTS (SELECT FROM remediation.executions k WHERE k.execution_arn = s.arn)
