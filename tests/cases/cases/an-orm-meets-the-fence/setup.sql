INSERT INTO processing_state (id,status,created_at,updated_at,progress) VALUES ('10000000-0000-4000-8000-000000000001','PROCESSING',now()-interval '100 s',now()-interval '90 s',30);
INSERT INTO processing_state (id,status,created_at,updated_at,progress) VALUES ('30000000-0000-4000-8000-000000000003','PROCESSING',now()-interval '100 s',now()-interval '90 s',30);
