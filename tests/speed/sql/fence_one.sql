-- What a worker does to its row as it goes on.
UPDATE public.processing_state SET status = 'PROCESSING', progress = $2, updated_at = now()
 WHERE id = md5('process ' || $1::int4)::uuid
