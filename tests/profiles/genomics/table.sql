CREATE TABLE workflow_run (
    id            uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    status        varchar(32),
    started_at    timestamptz,
    ended_at      timestamptz,
    error_label   text,
    error_message text,
    outputs_json  text,
    execution_id  text
);
