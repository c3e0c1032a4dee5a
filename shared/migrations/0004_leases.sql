-- What was changed by API and not by the code that deploys it (design, 6.10): put back when its time is over, unless a person wants it
-- to stay or somebody has changed it since. The lease of an action is made with the action's ledger entry.
CREATE TABLE remediation.leases (
    action_id    uuid PRIMARY KEY,
    step         text NOT NULL,
    -- The action's.
    kind         text NOT NULL,
    target       text COLLATE "C" NOT NULL,
    -- What people had configured, which is what it is put back to; and what it was changed to. Of the setting alone.
    before       jsonb NOT NULL,
    after        jsonb NOT NULL,
    revert_at    timestamptz NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The earlier lease of the same setting that this one took the place of: it is open again where this change comes to nothing.
    supersedes   uuid,
    confirmed_at timestamptz,
    confirmed_by uuid,
    ended_at     timestamptz,
    ended        text CHECK (ended IN ('reverted', 'undone', 'changed', 'superseded', 'failed')),
    CHECK ((ended IS NULL) = (ended_at IS NULL)),
    CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL))
);

-- One setting of one target is put back to one value.
CREATE UNIQUE INDEX leases_open ON remediation.leases (kind, target) WHERE ended_at IS NULL AND confirmed_at IS NULL;
