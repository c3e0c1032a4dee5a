-- The same in one statement: what is left is the row's own work, of which the trigger is the largest part.
UPDATE public.processing_state SET status = 'PROCESSING', progress = {progress}, updated_at = now()
