-- Whether a step helps is judged by its runs that tried (design, 6.7): how many changes one tried, how many of them helped, how many failed,
-- and how many of those failed on a target that was not tried before within a day: one that refuses again says nothing of the step.
ALTER TABLE remediation.runs
    ADD COLUMN tried       integer NOT NULL DEFAULT 0,
    ADD COLUMN helped      integer NOT NULL DEFAULT 0,
    ADD COLUMN failed      integer NOT NULL DEFAULT 0,
    ADD COLUMN failed_anew integer NOT NULL DEFAULT 0;

CREATE INDEX runs_that_tried ON remediation.runs (step, started_at DESC) WHERE tried > 0;
DROP INDEX remediation.runs_that_acted;
