-- A look ends sooner where its reason ends, and that is all that ever changes of it.
DROP TRIGGER generation_viewing_is_append_only ON generation_viewing;
CREATE TRIGGER generation_viewing_is_never_deleted BEFORE DELETE ON generation_viewing
    FOR EACH ROW EXECUTE FUNCTION core_refuse_change();

CREATE FUNCTION generation_viewing_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.clip_id, NEW.viewer_id, NEW.role, NEW.why, NEW.at)
       IS DISTINCT FROM (OLD.id, OLD.clip_id, OLD.viewer_id, OLD.role, OLD.why, OLD.at) THEN
        RAISE EXCEPTION 'why somebody looked never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_viewing_is_what_was_said';
    END IF;
    -- Nor is it made to have ended earlier than it did: what was opened meanwhile stands under it.
    IF NEW.until > OLD.until OR NEW.until < least(OLD.until, core_now()) THEN
        RAISE EXCEPTION 'a viewing is neither prolonged nor dated back'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_viewing_only_ends_sooner';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER viewing_law BEFORE UPDATE ON generation_viewing
    FOR EACH ROW EXECUTE FUNCTION generation_viewing_law();

-- Withdrawn, decided, handed back, lost: whoever had the case looks no longer because of it. They
-- may say again why they look, as others of the staff do, and its maker reads that.
CREATE FUNCTION review_look_ends() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE generation_viewing v
    -- A microsecond at least, since a viewing ends after it began.
    SET until = greatest(core_now(), v.at + interval '1 microsecond')
    WHERE v.clip_id = OLD.chain_id AND v.viewer_id = OLD.lease_by_id
      AND v.role = 'reviewer' AND v.why = 'review'
      AND v.until > greatest(core_now(), v.at + interval '1 microsecond')
      AND NOT EXISTS (SELECT FROM review_case o
                      WHERE o.chain_id = OLD.chain_id AND o.id <> OLD.id
                        AND o.state = 'claimed' AND o.lease_by_id = OLD.lease_by_id);
    RETURN NULL;
END $$;
CREATE TRIGGER a_look_ends_with_its_lease AFTER UPDATE OF state ON review_case
    FOR EACH ROW WHEN (OLD.state = 'claimed' AND NEW.state <> 'claimed')
    EXECUTE FUNCTION review_look_ends();
