-- What decides about a failed process beside its row and its newest execution.
SELECT {id text} AS id, left({error message}, 2000) AS message, {superseded} AS superseded,
       (SELECT count(*) FROM remediation.executions e WHERE e.process_id = {id text}) AS executions,
       (SELECT count(*) FROM remediation.actions a
         WHERE a.target = {id text} AND a.kind = 'retry-process' AND a.outcome = 'applied') AS retries,
       EXISTS (SELECT FROM remediation.actions a WHERE a.target = {id text} AND a.outcome = 'applying') AS busy
  FROM {rows} p
 WHERE {id} = ANY ($1::{id type}[])
