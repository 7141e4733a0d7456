-- Which clips the terms of retention may end some day: those whose files are there and that are not
-- shown. What a sweep reads does not grow with what is shown for ever or went long ago.
INSERT INTO review_perishable (clip_id, programme_id, made_at)
    SELECT c.id, c.programme_id, c.made_at FROM generation_clip c
    WHERE NOT clip_is_removed(c.id)
      AND NOT EXISTS (SELECT FROM review_release r WHERE r.clip_id = c.id AND r.ended_at IS NULL);

CREATE FUNCTION review_perishable_is_its_clip() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    SELECT c.programme_id, c.made_at INTO NEW.programme_id, NEW.made_at
        FROM generation_clip c WHERE c.id = NEW.clip_id;
    RETURN NEW;
END $$;
CREATE TRIGGER perishable_is_its_clip BEFORE INSERT ON review_perishable
    FOR EACH ROW EXECUTE FUNCTION review_perishable_is_its_clip();

CREATE FUNCTION review_perishable_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR NOT (clip_is_removed(OLD.clip_id) OR EXISTS (
        SELECT FROM review_release r WHERE r.clip_id = OLD.clip_id AND r.ended_at IS NULL)) THEN
        RAISE EXCEPTION 'a clip that may go is looked for'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'what_may_go_is_looked_for';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER perishable_law BEFORE UPDATE OR DELETE ON review_perishable
    FOR EACH ROW EXECUTE FUNCTION review_perishable_law();

CREATE FUNCTION review_clip_may_go() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO review_perishable (clip_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER a_new_clip_may_go AFTER INSERT ON generation_clip
    FOR EACH ROW EXECUTE FUNCTION review_clip_may_go();

-- Whoever releases, takes down or removes holds the clip (clip_one_at_a_time), or meets the other's
-- row of a release or a removal: two of them are never at it together.
CREATE FUNCTION review_release_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.ended_at IS NULL THEN
        DELETE FROM review_perishable WHERE clip_id = NEW.clip_id;
    ELSIF NOT clip_is_removed(NEW.clip_id) THEN
        INSERT INTO review_perishable (clip_id) VALUES (NEW.clip_id) ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER what_is_shown_stays AFTER INSERT OR UPDATE OF ended_at ON review_release
    FOR EACH ROW EXECUTE FUNCTION review_release_stays();

CREATE FUNCTION review_removed_is_gone() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM review_perishable WHERE clip_id = NEW.clip_id;
    RETURN NULL;
END $$;
CREATE TRIGGER what_was_removed_is_gone AFTER UPDATE OF done_at ON generation_removal
    FOR EACH ROW WHEN (NEW.done_at IS NOT NULL) EXECUTE FUNCTION review_removed_is_gone();
