-- What each row under way may not fall below: the highest progress that was seen of its present attempt. Rows that are no longer
-- PROCESSING are forgotten, so the table stays as small as what is under way.
CREATE TABLE remediation.progress (
    process_id uuid PRIMARY KEY,
    -- The newest execution's ARN and redrive count and the row's retry count, as far as they are known: another text is
    -- another attempt.
    attempt    text COLLATE "C" NOT NULL,
    highest    smallint NOT NULL CHECK (highest BETWEEN 0 AND 100),
    seen_at    timestamptz NOT NULL DEFAULT now()
);
