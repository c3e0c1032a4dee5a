-- An old ledger: {actions} entries and {runs} runs of the last {days} days, and of all else what goes with them; a little of each is older
-- than its retention. The same rows every time, but for their times; the oldest first, as a ledger grows.

-- Three of four entries are one step's, each on a target of its own. Of the others, many are on the few targets whose history has no end.
INSERT INTO remediation.actions (id, run_id, step, kind, target, cause, before, after, outcome, reason, created_at, closed_at)
SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::int8), 12, '0') || '7' || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
       md5('run ' || n % {runs})::uuid, step, kind,
       CASE kind WHEN 'start-step' THEN 'step reconcile-processes' WHEN 'set-worker-timeout' THEN 'function ai-generation-worker'
                 ELSE md5('target ' || n)::uuid::text END,
       'TIMED_OUT', '{"status": "PROCESSING", "progress": 40}', '{"status": "FAILED", "progress": 40}',
       CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'applied' END, 'an old entry', at, at
  FROM generate_series({actions}, 1, -1) AS n,
       LATERAL (SELECT now() - interval '2 hours' - n * (interval '{days} days' / {actions}) AS at,
                       CASE n % 8 WHEN 0 THEN 'triage-errors' WHEN 1 THEN 'extend-worker-timeout' ELSE 'reconcile-processes' END AS step,
                       CASE n % 8 WHEN 0 THEN 'start-step' WHEN 1 THEN 'set-worker-timeout' ELSE 'set-row-status' END AS kind) AS made;

-- One of twenty did something, and one plan of ten was approved; the others are of the last 31 days.
INSERT INTO remediation.runs (id, step, mode, trigger, started_at, finished_at, summary, applied, findings, verification, cursor)
SELECT md5('run ' || n)::uuid,
       ('{reconcile-processes, fail-timed-out-processes, triage-errors, check-health, retry-failed-processes, throttle-worker}'::text[])[1 + n % 6],
       'act', CASE WHEN n % 3 = 0 THEN jsonb_build_object('kind', 'execution', 'processId', md5('target ' || n), 'executionArn', md5('run ' || n))
                   ELSE '{"kind": "schedule"}' END, at, at, 'an old run', acted::int,
       CASE WHEN n % 10 = 0 THEN '[{"code": "attempts_exhausted", "target": "x"}]'::jsonb ELSE '[]' END,
       CASE WHEN acted THEN 'verified' ELSE 'unverified' END, CASE WHEN n % 2 = 0 THEN '{}'::jsonb END
  FROM generate_series(1, {runs}) AS n,
       LATERAL (SELECT n % 20 = 0 AS acted) AS whether,
       LATERAL (SELECT now() - interval '2 hours' - n * ((CASE WHEN acted THEN interval '{days} days' ELSE interval '31 days' END) / {runs}) AS at) AS made;

INSERT INTO remediation.plans (id, run_id, step, actions, reason, created_at, seen_at, approved_at, done_at, approved_by, superseded_at)
SELECT md5('plan ' || n)::uuid, md5('run of plan ' || n)::uuid, 'reconcile-processes', '[]', 'an old plan', at, at,
       CASE WHEN n % 10 = 0 THEN at END, CASE WHEN n % 10 = 0 THEN at END, CASE WHEN n % 10 = 0 THEN md5('run of plan ' || n)::uuid END,
       CASE WHEN n % 10 > 0 THEN at END
  FROM generate_series(1, {few}) AS n,
       LATERAL (SELECT now() - interval '2 hours'
                       - n * ((CASE WHEN n % 10 = 0 THEN interval '{days} days' ELSE interval '31 days' END) / {few}) AS at) AS made;

INSERT INTO remediation.incidents (id, alarm, reason, opened_at, closed_at)
SELECT md5('incident ' || n)::uuid,
       'remediation-' || ('{stuck-processes, mismatched-processes, error-rate, worker-memory, bedrock-throttles}'::text[])[1 + n % 5],
       'an old incident', at - interval '5 minutes', at
  FROM generate_series(1, {few}) AS n, LATERAL (SELECT now() - interval '2 hours' - n * (interval '{days} days' / {few}) AS at) AS made;

INSERT INTO remediation.leases (action_id, step, kind, target, before, after, revert_at, created_at, ended_at, ended)
SELECT md5('lease ' || n)::uuid, 'extend-worker-timeout', 'set-worker-timeout', 'function ai-generation-worker', '{}', '{}', at, at, at, 'reverted'
  FROM generate_series(1, {few}) AS n, LATERAL (SELECT now() - interval '2 hours' - n * (interval '{days} days' / {few}) AS at) AS made;

INSERT INTO remediation.refused_writes (process_id, why, refused_at, before, attempted)
SELECT md5('target ' || n)::uuid, 'cancelled', now() - interval '2 hours' - n * (interval '91 days' / {few}), '{}', '{}'
  FROM generate_series(1, {few}) AS n;

INSERT INTO remediation.controls_history (step, changed_at, changed_by)
SELECT 'reconcile-processes', now() - interval '2 hours' - n * (interval '{days} days' / {few}), 'a person'
  FROM generate_series(1, {few}) AS n;

INSERT INTO remediation.executions (execution_arn, process_id, status, started_at, stopped_at, ending_known)
SELECT '{executions}:' || md5('target ' || n)::uuid || '-1', md5('target ' || n)::uuid, 'TIMED_OUT', at, at + interval '10 minutes', true
  FROM generate_series(1, {runs}) AS n, LATERAL (SELECT now() - interval '2 hours' - n * (interval '91 days' / {runs}) AS at) AS made;
