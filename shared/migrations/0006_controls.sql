-- The red button and its neighbours (design, 6.1): who set a control, when and why, and what it was before. And who asked for a run.

ALTER TABLE remediation.controls ADD COLUMN changed_by text;
-- Only now, so that nobody is named for what stands there already.
ALTER TABLE remediation.controls ALTER COLUMN changed_by SET DEFAULT session_user;

COMMENT ON TABLE remediation.controls IS 'What an installation allows a step: a lower mode, other limits. Row * binds every step: the red button.';

-- A statement that an operator types sets what it wants and nothing else: who and when are filled in, and the reason of an earlier
-- change does not stay for another one.
CREATE FUNCTION remediation.stamp_control() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NEW.updated_at = OLD.updated_at THEN
        NEW.updated_at := clock_timestamp();
        IF NEW.changed_by IS NOT DISTINCT FROM OLD.changed_by THEN
            NEW.changed_by := session_user;
        END IF;
        IF NEW.reason IS NOT DISTINCT FROM OLD.reason THEN
            NEW.reason := NULL;
        END IF;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER stamp BEFORE UPDATE ON remediation.controls
FOR EACH ROW EXECUTE FUNCTION remediation.stamp_control();

-- Every change of a control, whoever made it and however. An image is the whole row; NULL: there was none, or it is gone.
CREATE TABLE remediation.controls_history (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    step          text NOT NULL,
    changed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- A person's name, where one was given; the user of the database anyway.
    changed_by    text,
    database_user text NOT NULL DEFAULT session_user,
    reason        text,
    before        jsonb,
    after         jsonb
);

CREATE INDEX controls_history_by_time ON remediation.controls_history (changed_at);

CREATE FUNCTION remediation.keep_control() RETURNS trigger
LANGUAGE plpgsql
-- Whoever may write a control may not, for that, write its history.
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO remediation.controls_history (step, changed_by, reason, before, after)
    VALUES (coalesce(NEW.step, OLD.step), CASE TG_OP WHEN 'DELETE' THEN session_user ELSE NEW.changed_by END, NEW.reason,
            to_jsonb(OLD), to_jsonb(NEW));
    RETURN NULL;
END
$$;

CREATE TRIGGER keep AFTER INSERT OR UPDATE OR DELETE ON remediation.controls
FOR EACH ROW EXECUTE FUNCTION remediation.keep_control();

-- Who asked for a run, where somebody said so, and Lambda's id of the request, under which CloudTrail knows the caller.
ALTER TABLE remediation.runs ADD COLUMN asked_by text, ADD COLUMN request_id text;
