INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000001','PROCESSING',now()-interval '80 s',now()-interval '60 s');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000002','PROCESSING',now()-interval '80 s',now()-interval '60 s');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000003','PROCESSING',now()-interval '80 s',now()-interval '60 s');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000004','PROCESSING',now()-interval '80 s',now()-interval '60 s');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000005','PROCESSING',now()-interval '80 s',now()-interval '60 s');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000006','PROCESSING',now()-interval '80 s',now()-interval '60 s');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000007','PROCESSING',now()-interval '80 s',now()-interval '60 s');
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000008','PROCESSING',now()-interval '80 s',now()-interval '60 s');
