-- What the fence refused (design, 6.9). The fence itself, a trigger on the application's table, is opt-in and made by an action.

-- One line for a process, a reason and a status that was to be written, a minute: a worker that writes every second is counted.
CREATE TABLE remediation.refused_writes (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    process_id       uuid NOT NULL,
    why              text NOT NULL CHECK (why IN
                         ('cancelled', 'closed-by-remediation', 'progress-out-of-range', 'progress-fell')),
    refused_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- How often within that minute, and when last.
    times            integer NOT NULL DEFAULT 1,
    last_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Who wrote.
    application_name text,
    database_user    text NOT NULL DEFAULT session_user,
    -- The row as it stood, and as it was to be (the last time).
    before           jsonb NOT NULL,
    attempted        jsonb NOT NULL
);

CREATE INDEX refused_writes_of_a_process ON remediation.refused_writes (process_id, refused_at DESC);

-- Lets this transaction's writes of a process through the fence, as it lets our own: both hold the process's lock.
CREATE FUNCTION remediation.let_through(process uuid) RETURNS void
LANGUAGE sql
AS $$ SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('remediation:' || process, 0)) $$;
