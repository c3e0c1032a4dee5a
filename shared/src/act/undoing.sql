-- What the ledger has of actions, and by what each was taken back.
SELECT a.id, a.run_id, a.step, a.kind, a.target, a.cause, a.before, a.after, a.undo_of AS undoes, a.outcome, a.created_at,
       u.id AS undone_by, u.run_id AS undone_in
  FROM remediation.actions a
  LEFT JOIN remediation.actions u ON u.undo_of = a.id AND u.outcome = 'applied'
