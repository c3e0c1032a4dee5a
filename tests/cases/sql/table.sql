CREATE TABLE processing_state (
    id uuid PRIMARY KEY, user_id uuid NOT NULL DEFAULT gen_random_uuid(), type text NOT NULL DEFAULT 'SUBGOAL_GENERATION',
    status text NOT NULL DEFAULT 'PENDING', target_id uuid, progress smallint NOT NULL DEFAULT 0, result jsonb, error jsonb,
    retry_count smallint NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL,
    completed_at timestamptz);
