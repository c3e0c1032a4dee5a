-- What became of processes that the log speaks of.
SELECT {id text} AS id, CASE WHEN {has failed} THEN 'FAILED' WHEN {is cancelled} THEN 'CANCELLED' ELSE {status name} END AS status
  FROM {rows} p
 WHERE {id} = ANY ($1::{id type}[])
