CREATE TABLE jobs (
    job_id            text PRIMARY KEY,
    status_code       text NOT NULL DEFAULT 'PENDING',
    execution_started boolean NOT NULL DEFAULT false,
    request_time      timestamptz NOT NULL DEFAULT now()
);
