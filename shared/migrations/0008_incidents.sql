-- An incident is its alarm's, which is known by its whole ARN, and of the system that is looked after: not of any alarm whose name ends
-- alike (another prefix, another installation on the same ledger). What was recorded before has neither: there the whole name has to do.
ALTER TABLE remediation.incidents
    ADD COLUMN alarm_arn  text,
    -- The state machine's ARN.
    ADD COLUMN system     text,
    -- What holds the alarm's actions back (a mute rule, a suppressor): nothing is done for its sake before `held_until`, or before an event
    -- says that nothing does.
    ADD COLUMN held_back  text,
    ADD COLUMN held_until timestamptz,
    -- How it ended: the alarm was OK, is gone, or had no data for longer than it judges by.
    ADD COLUMN ended      text CHECK (ended IN ('ok', 'gone', 'silent'));

DROP INDEX remediation.incidents_open;
CREATE UNIQUE INDEX incidents_open ON remediation.incidents (alarm, coalesce(alarm_arn, ''), coalesce(system, ''))
 WHERE closed_at IS NULL;
