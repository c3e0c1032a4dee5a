INSERT INTO processing_state (id,status,created_at,updated_at) SELECT ('1000'||lpad(to_hex(i+1),4,'0')||'-0000-4000-8000-000000000001')::uuid,'PROCESSING',now()-interval '32501 s',now()-interval '32400 s' FROM generate_series(0,5) i;
INSERT INTO processing_state (id,status,created_at,updated_at) VALUES ('10000000-0000-4000-8000-000000000001','PENDING',now()-interval '9 h',now()-interval '9 h');
