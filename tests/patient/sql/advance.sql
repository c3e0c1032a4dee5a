-- As the worker does it: whatever stands in the row.
UPDATE {processes} SET status = 'PROCESSING', progress = $2, {updated_at} = now(){utc} WHERE id = $1
