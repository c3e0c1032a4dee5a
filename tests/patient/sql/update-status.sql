-- As the application does it: whatever stands in the row.
UPDATE {processes}
   SET status = $2::text::{status type},
       progress = CASE $2 WHEN 'COMPLETED' THEN 100 ELSE progress END,
       result = coalesce($3, result),
       error = $4,
       {updated_at} = now(){utc},
       {completed_at} = CASE WHEN $2 NOT IN ('PENDING', 'PROCESSING') THEN now(){utc} END
 WHERE id = $1
