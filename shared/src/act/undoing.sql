-- What the ledger has of actions, and by what each was taken back.
SELECT a.id, a.run_id, a.step, a.kind, a.target, a.cause, a.before, a.after, a.undo_of AS undoes, a.outcome, a.created_at,
       (SELECT u.id FROM remediation.actions u WHERE u.undo_of = a.id AND u.outcome = 'applied') AS undone_by
  FROM remediation.actions a
