INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000001','PENDING',now()-interval '2 h',now()-interval '2 h');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('30000000-0000-4000-8000-000000000003','PROCESSING',now()-interval '2 h',now()-interval '2 h');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000007-0000-4000-8000-000000000001','PENDING',now()-interval '50 min',now()-interval '50 min');
