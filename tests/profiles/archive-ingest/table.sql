CREATE TABLE executions (
    cumulus_id    bigserial PRIMARY KEY,
    arn           text UNIQUE,
    status        text NOT NULL,
    error         jsonb NOT NULL DEFAULT '{}',
    final_payload jsonb,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
