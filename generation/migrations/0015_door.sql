-- What programs order through /v1: remixes, the same order sent again, and what was deleted there.

ALTER TABLE generation_job ADD CONSTRAINT a_remix_is_of_ones_own_job
    FOREIGN KEY (remix_of_id, party_id, programme_id)
    REFERENCES generation_job (id, party_id, programme_id);

CREATE FUNCTION generation_remix_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.remix_of_id IS DISTINCT FROM OLD.remix_of_id THEN
        RAISE EXCEPTION 'what a job is a remix of never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_remix_stays_one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER remix_law BEFORE UPDATE OF remix_of_id ON generation_job
    FOR EACH ROW EXECUTE FUNCTION generation_remix_law();

CREATE FUNCTION generation_request_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM generation_job
    WHERE id = NEW.job_id AND queued_at = core_now() AND state = 'queued' AND attempts = 0;
    IF NOT FOUND OR NEW.at <> core_now() THEN
        RAISE EXCEPTION 'a request is kept with the job that it makes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_request_is_kept_with_its_job';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER request_law BEFORE INSERT ON generation_jobrequest
    FOR EACH ROW EXECUTE FUNCTION generation_request_law();

CREATE FUNCTION generation_deletion_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    -- Locked: it does not begin again between the look and the commit.
    PERFORM FROM generation_job
    WHERE id = NEW.job_id
      AND (state IN ('finished', 'failed', 'cancelled') OR cancel_asked_at IS NOT NULL)
    FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a video is deleted when its job is over, or was asked to stop'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_live_video_is_not_deleted';
    END IF;
    IF NEW.at <> core_now() THEN
        RAISE EXCEPTION 'a video is deleted in that moment'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_video_is_deleted_now';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER deletion_law BEFORE INSERT ON generation_deletedvideo
    FOR EACH ROW EXECUTE FUNCTION generation_deletion_law();
