-- Records what is about to be told: each of the incidents $2, unless it was told already, or another run is about to (the index of what is told
-- once), somebody has acknowledged it, or it is over.
INSERT INTO remediation.actions (id, run_id, step, kind, target, after, outcome, reason, alive_until)
SELECT w.id, $6, $7, $8, w.target, w.after, 'applying', w.reason, $9
  FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::text[]) AS w (id, root, target, after, reason)
 WHERE EXISTS (SELECT FROM remediation.incidents i WHERE (i.id = w.root OR i.continues = w.root) AND i.closed_at IS NULL)
   AND NOT EXISTS (SELECT FROM remediation.incidents b WHERE b.id = w.root AND b.acknowledged_at IS NOT NULL)
    ON CONFLICT DO NOTHING
RETURNING id
