-- Ids of processes as text, as the ledger's targets are: applications have numbers and texts as well as UUIDs. Compared byte by byte.
ALTER TABLE remediation.executions ALTER COLUMN process_id TYPE text COLLATE "C";
ALTER TABLE remediation.progress ALTER COLUMN process_id TYPE text COLLATE "C";
ALTER TABLE remediation.refused_writes ALTER COLUMN process_id TYPE text COLLATE "C";

CREATE FUNCTION remediation.let_through(process text) RETURNS void
LANGUAGE sql
AS $$ SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('remediation:' || process, 0)) $$;

-- Whether an execution's name bears a process's id, as a word of its own: then it may be a guess from the name.
CREATE FUNCTION remediation.names(execution_arn text, process_id text) RETURNS boolean
LANGUAGE sql IMMUTABLE
AS $$ SELECT strpos('-' || translate(split_part(execution_arn, ':', 8), '_.', '--') || '-', '-' || translate(process_id, '_.', '--') || '-') > 0 $$;
