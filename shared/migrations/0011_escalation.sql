-- Escalation (design, 8): people are told of an incident level by level, until one of them acknowledges it or it has stayed over.

ALTER TABLE remediation.incidents
    -- The first of those that are one incident: its alarm was OK for minutes only in between.
    ADD COLUMN continues       uuid,
    -- Of the first one: who looks after it, and since when.
    ADD COLUMN acknowledged_at timestamptz,
    ADD COLUMN acknowledged_by text,
    ADD CONSTRAINT incidents_acknowledged CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL));

CREATE INDEX incidents_continued ON remediation.incidents (continues) WHERE continues IS NOT NULL;

-- A level is told of an incident once, whichever run or container wants to; what has failed may be tried again.
CREATE UNIQUE INDEX actions_told_once ON remediation.actions (target)
 WHERE kind = 'tell-level' AND outcome IN ('applying', 'applied');

-- Which runs an alarm has started.
CREATE INDEX runs_about_an_alarm ON remediation.runs ((trigger ->> 'alarm'), started_at) WHERE trigger ->> 'alarm' IS NOT NULL;
