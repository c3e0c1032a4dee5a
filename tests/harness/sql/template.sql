-- What every database of the harness starts with. One statement a line: the single-user server reads it so.
CREATE ROLE application LOGIN PASSWORD 'application-password';
GRANT pg_monitor, pg_signal_backend TO application;
CREATE EXTENSION pg_stat_statements;
