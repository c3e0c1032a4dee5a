-- Rows closed since $1 whose newest execution tells the other end, as far as the database knows: a late success, or a success that says it failed.
 WHERE coalesce({completed_at}, {updated_at}) > $1
   AND e.status = 'SUCCEEDED'
   AND ({status} IN ({failed}) AND e.says_failed IS NOT TRUE OR {status} IN ({completed}) AND e.says_failed IS TRUE)
