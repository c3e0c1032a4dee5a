-- The fence (design, 6.9): judges an UPDATE of the application's table before it is made.
--
-- It never makes a statement fail: what it refuses keeps its row and counts, since an ORM takes 0 rows for a fault; and where it cannot
-- judge, it lets pass and warns.
CREATE FUNCTION remediation.fence() RETURNS trigger
LANGUAGE plpgsql
-- The application's user has no right on schema remediation.
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $fence$
DECLARE
    retried  boolean;
    cancelled boolean;
    standing jsonb;
    wanted   jsonb;
    kept     integer;
    refusal  text;
BEGIN
    BEGIN
        -- An open row that goes on.
        IF OLD.{set status} IN ({open}) AND NEW.{set progress} BETWEEN greatest(OLD.{set progress}, 0) AND 100 THEN
            RETURN NEW;
        END IF;
        retried := coalesce(NEW.{set retry_count} > OLD.{set retry_count}, false);
        -- A failure with the code of a cancel is a cancel.
        cancelled := OLD.{set status} IN ({cancelled})
                     OR OLD.{set status} IN ({failed}) AND coalesce(OLD.{set error} ->> {code key} IN ({cancel codes}), false);
        -- An application cancels in two writes: CANCELLED, then FAILED with its code and the reason. That is let in, without the status.
        IF cancelled AND NOT retried
           AND (NEW.{set status} IN ({cancelled}) AND OLD.{set status} NOT IN ({cancelled})
                OR NEW.{set status} IN ({cancelled}, {failed}) AND NEW.{set error} ->> {code key} IN ({cancel codes})) THEN
            IF OLD.{set status} IN ({cancelled}) THEN
                NEW.{set status} := OLD.{set status};
            END IF;
            IF coalesce(NEW.{set error} ->> {code key} NOT IN ({cancel codes}), true) THEN
                NEW.{set error} := OLD.{set error};
            END IF;
            NEW.{set progress} := OLD.{set progress};
            NEW.{set result} := OLD.{set result};
            NEW.{set completed_at} := coalesce(OLD.{set completed_at}, NEW.{set completed_at});
            RETURN NEW;
        END IF;
        IF NOT retried
           AND (NEW.{set status}, NEW.{set progress}, NEW.{set completed_at}, NEW.{set error}, NEW.{set result})
               IS DISTINCT FROM
               (OLD.{set status}, OLD.{set progress}, OLD.{set completed_at}, OLD.{set error}, OLD.{set result}) THEN
            IF cancelled THEN
                refusal := 'cancelled';
            ELSIF OLD.{set status} IN ({completed}, {failed}) THEN
                -- Closed by us, and still as we closed it (its progress may have been repaired): what the application has closed
                -- since, it may open again.
                SELECT {image} - ARRAY['updatedAt', 'progress'] INTO standing FROM (SELECT OLD.*) AS p;
                IF EXISTS (
                    SELECT FROM remediation.actions a
                     WHERE a.target = OLD.{set id}::text
                       AND a.kind = 'set-row-status'
                       AND a.outcome = 'applied'
                       AND a.before -> 'status' <> a.after -> 'status'
                       AND a.after - ARRAY['updatedAt', 'progress'] = standing) THEN
                    refusal := 'closed-by-remediation';
                END IF;
            END IF;
        END IF;
        IF refusal IS NULL AND NEW.{set progress} IS DISTINCT FROM OLD.{set progress} THEN
            kept := least(greatest(NEW.{set progress}, 0), 100);
            IF NEW.{set progress} < OLD.{set progress} AND OLD.{set progress} BETWEEN 0 AND 100
               AND OLD.{set status} IN ({processing}) AND NEW.{set status} IN ({processing}) AND NOT retried THEN
                kept := OLD.{set progress};
                refusal := 'progress-fell';
            ELSIF kept <> NEW.{set progress} THEN
                refusal := 'progress-out-of-range';
            END IF;
        END IF;
        IF refusal IS NULL THEN
            RETURN NEW;
        END IF;
        -- Last, because it is dear: our own writes, and those of a person who said so, hold the process's lock.
        IF EXISTS (
            SELECT FROM pg_locks l
             WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted AND l.objsubid = 1
               AND (l.classid::bigint << 32 | l.objid::bigint)
                   = hashtextextended('remediation:' || OLD.{set id}, 0)) THEN
            refusal := NULL;
            RETURN NEW;
        END IF;
        SELECT {image} INTO standing FROM (SELECT OLD.*) AS p;
        SELECT {image} INTO wanted FROM (SELECT NEW.*) AS p;
        IF kept IS NOT NULL THEN
            NEW.{set progress} := kept;
        END IF;
        -- The row is locked by now: nobody else counts for this process.
        UPDATE remediation.refused_writes r
           SET times = r.times + 1, last_at = clock_timestamp(), attempted = wanted
         WHERE r.process_id = OLD.{set id}::text
           AND r.why = refusal
           AND r.attempted ->> 'status' = wanted ->> 'status'
           AND r.refused_at > clock_timestamp() - interval '1 minute';
        IF NOT FOUND THEN
            INSERT INTO remediation.refused_writes (process_id, why, application_name, before, attempted)
            VALUES (OLD.{set id}::text, refusal, current_setting('application_name'), standing, wanted);
            -- The server's log keeps what a rollback takes back.
            RAISE LOG 'remediation fence: process %: % -> % refused: %',
                OLD.{set id}, OLD.{set status}, wanted ->> 'status', refusal;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'remediation fence: process %: %', OLD.{set id}, SQLERRM;
    END;
    IF refusal IN ('cancelled', 'closed-by-remediation') THEN
        RETURN {refused};
    END IF;
    RETURN NEW;
END
$fence$;

REVOKE EXECUTE ON FUNCTION remediation.fence() FROM PUBLIC;

-- Without a WHEN: PostgreSQL would read that anew for every statement, which costs an open row more than the function does.
CREATE TRIGGER remediation_fence BEFORE UPDATE ON {table}
FOR EACH ROW EXECUTE FUNCTION remediation.fence();
