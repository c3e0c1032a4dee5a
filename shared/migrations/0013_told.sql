-- People hear of each kind of thing once in a while, whichever of how many containers met it: what comes in between is counted here, and
-- said with the next message (design, 6.2).
CREATE TABLE remediation.told (
    step    text NOT NULL,
    kind    text NOT NULL,
    -- How long nothing more is said of it.
    every   interval NOT NULL,
    -- When people were told last; NULL: never, or the message did not reach them.
    told_at timestamptz,
    -- How many there were since then of which they have not heard.
    more    bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (step, kind)
);

-- Whether people heard what a run found: what they did not hear is told by a later run. NULL: it had nothing to tell, or no topic.
ALTER TABLE remediation.runs ADD COLUMN told boolean;
