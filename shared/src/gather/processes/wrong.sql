-- Rows closed since $1 whose newest execution tells the other end, as far as the database knows: a late success, or a success that says it failed.
 WHERE coalesce({completed_at}, {updated_at}) > $1
   -- Said for the row alone, so that nobody looks for the executions of open rows.
   AND {status} IN ({failed}, {completed})
   AND e.status = 'SUCCEEDED'
   AND ({status} IN ({failed}) AND e.says_failed IS NOT TRUE OR {status} IN ({completed}) AND e.says_failed IS TRUE)
