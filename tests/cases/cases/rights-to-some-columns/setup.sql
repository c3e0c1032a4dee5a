INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000001','PROCESSING',now()-interval '2 h',now()-interval '2 h');
ALTER TABLE processing_state OWNER TO CURRENT_USER; GRANT SELECT ON processing_state TO application; GRANT UPDATE (status, updated_at) ON processing_state TO application;
