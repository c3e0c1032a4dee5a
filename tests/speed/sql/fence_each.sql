-- What a worker does to its row as it goes on, for every row and without the network between: a statement a row, by its key.
DO $$
DECLARE
    process uuid;
BEGIN
    FOR process IN SELECT id FROM public.processing_state LOOP
        UPDATE public.processing_state SET status = 'PROCESSING', progress = {progress}, updated_at = now() WHERE id = process;
    END LOOP;
END
$$
