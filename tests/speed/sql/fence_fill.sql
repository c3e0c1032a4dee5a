-- Open rows at the beginning of their work.
INSERT INTO public.processing_state (id, user_id, type, status, progress, updated_at)
SELECT md5('process ' || i)::uuid, md5('user ' || i % 1000)::uuid, 'SUBGOAL_GENERATION', 'PROCESSING', 0, now()
  FROM generate_series(1, {rows}) AS i
