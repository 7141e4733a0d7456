-- A job may begin with the last frame of a finished clip; what it makes then is the whole of both.

-- One's own clip, in the same programme. The clip is there, so its job is finished.
ALTER TABLE generation_job
    ADD CONSTRAINT job_extends_its_partys_clip FOREIGN KEY (extends_id, party_id, programme_id)
        REFERENCES generation_clip (id, party_id, programme_id);

-- The same limit as generation.jobs.extensions.
CREATE FUNCTION generation_extension_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    extended generation_clip;
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    -- Its files cannot go before this is written.
    PERFORM clip_one_at_a_time(NEW.extends_id);
    IF clip_is_removed(NEW.extends_id) THEN
        RAISE EXCEPTION 'a clip whose files are gone is not extended'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_removed_clip_is_not_extended';
    END IF;
    SELECT * INTO extended FROM generation_clip WHERE id = NEW.extends_id;
    IF FOUND AND ((extended.width, extended.height, extended.frames)
                      <> (NEW.width, NEW.height, NEW.frames_before)
                  OR extended.rate_num::bigint * NEW.rate_den
                      <> NEW.rate_num::bigint * extended.rate_den) THEN
        RAISE EXCEPTION 'an extension has the size and the frame rate of its clip'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_extension_is_like_its_clip';
    END IF;
    IF (NEW.frames_before + NEW.frames - 1)::bigint * NEW.rate_den > 120 * NEW.rate_num::bigint THEN
        RAISE EXCEPTION 'a whole lasts two minutes at most'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_whole_lasts_two_minutes_at_most';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER extension_begins BEFORE INSERT ON generation_job
    FOR EACH ROW WHEN (NEW.extends_id IS NOT NULL) EXECUTE FUNCTION generation_extension_begins();

CREATE FUNCTION generation_extension_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.extends_id, NEW.frames_before) IS DISTINCT FROM (OLD.extends_id, OLD.frames_before) THEN
        RAISE EXCEPTION 'what was ordered never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_extension_stays_one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER extension_law BEFORE UPDATE OF extends_id, frames_before ON generation_job
    FOR EACH ROW EXECUTE FUNCTION generation_extension_law();

-- As before; the first frame of an extension is taken, by one of the pictures the model takes.
CREATE OR REPLACE FUNCTION generation_condition_law() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ordered generation_job;
BEGIN
    SELECT * INTO ordered FROM generation_job WHERE id = NEW.job_id;
    IF ordered.state <> 'queued' OR ordered.attempts > 0 OR ordered.queued_at <> core_now() THEN
        RAISE EXCEPTION 'the pictures of an order are part of it from the start'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_order_is_written_at_once';
    END IF;
    IF NEW.frame >= ordered.frames THEN
        RAISE EXCEPTION 'a picture stands at a frame of its clip'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_condition_lies_within_its_clip';
    END IF;
    IF NEW.frame = 0 AND ordered.extends_id IS NOT NULL THEN
        RAISE EXCEPTION 'an extension begins with the last frame of its clip'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_extension_begins_with_its_clip';
    END IF;
    IF NEW.number + (ordered.extends_id IS NOT NULL)::int
       >= (SELECT most_conditions FROM generation_videomodel WHERE id = ordered.model_id) THEN
        RAISE EXCEPTION 'the model takes no more pictures'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_takes_so_many_pictures';
    END IF;
    IF NEW.strength > 0 AND NEW.strength < 1
       AND NOT (SELECT takes_strength FROM generation_videomodel WHERE id = ordered.model_id) THEN
        RAISE EXCEPTION 'the model would ignore this strength'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_takes_a_strength';
    END IF;
    -- Locked: it cannot be removed before this is written.
    PERFORM FROM generation_reference WHERE id = NEW.reference_id AND removed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a reference that was removed is shown by no new job'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_removed_reference_is_not_shown';
    END IF;
    RETURN NEW;
END $$;

-- The same as generation.engines.order.mode_of; the last frame of a clip counts as a picture.
CREATE FUNCTION generation_must_offer(job uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ordered generation_job;
    at integer[];
    mode text;
BEGIN
    SELECT * INTO ordered FROM generation_job WHERE id = job;
    SELECT array_agg(frame ORDER BY frame) INTO at FROM (
        SELECT frame FROM generation_jobcondition WHERE job_id = job
        UNION ALL SELECT 0 WHERE ordered.extends_id IS NOT NULL) shown_there;
    mode := CASE WHEN at = ARRAY[0] THEN 'image'
                 WHEN at = ARRAY[0, ordered.frames - 1] THEN 'first_last'
                 ELSE 'keyframes' END;
    IF NOT EXISTS (SELECT FROM generation_videomodel
                   WHERE id = ordered.model_id AND mode = ANY (modes) AND most_conditions > 0) THEN
        RAISE EXCEPTION 'the model does not offer %', mode
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_is_asked_for_what_it_offers';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION generation_conditions_fit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM generation_must_offer(NEW.job_id);
    RETURN NULL;
END $$;

CREATE FUNCTION generation_extension_fits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM generation_must_offer(NEW.id);
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER extension_fits AFTER INSERT ON generation_job
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.extends_id IS NOT NULL)
    EXECUTE FUNCTION generation_extension_fits();

CREATE FUNCTION generation_clip_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM generation_job j WHERE j.id = NEW.job_id AND j.extends_id IS NOT NULL
               AND j.frames_before + j.frames - 1 <> NEW.frames) THEN
        RAISE EXCEPTION 'a whole is what was there and what is new, the frame of both once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_whole_is_of_both_its_parts';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER clip_law BEFORE INSERT ON generation_clip
    FOR EACH ROW EXECUTE FUNCTION generation_clip_law();

-- While a job waits or renders, the clip that it extends keeps its files.
CREATE FUNCTION generation_removal_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    PERFORM clip_one_at_a_time(NEW.clip_id);
    IF EXISTS (SELECT FROM generation_job WHERE extends_id = NEW.clip_id
               AND state IN ('queued', 'running', 'held')) THEN
        RAISE EXCEPTION 'a job that is under way extends this clip'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_clip_stays_while_a_job_extends_it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER removal_waits_for_jobs BEFORE UPDATE OF done_at ON generation_removal
    FOR EACH ROW WHEN (NEW.done_at IS NOT NULL) EXECUTE FUNCTION generation_removal_waits();

-- A worker on another machine needs the clip that an order extends.
CREATE OR REPLACE FUNCTION files_needed(job uuid)
RETURNS TABLE (file_id uuid, sha256 text, below text, storage_key text, size bigint,
               media_type text)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT s.id, s.sha256::text, 'media', s.storage_key::text, s.bytes, 'image/png'
    FROM generation_jobcondition c JOIN generation_referencestill s ON s.id = c.still_id
    WHERE c.job_id = job
    UNION ALL
    SELECT s.id, s.sha256::text, 'models', 'styles/' || s.sha256 || '.safetensors', s.bytes,
           'application/octet-stream'
    FROM generation_jobstyle j JOIN generation_style s ON s.id = j.style_id
    WHERE j.job_id = job
    UNION ALL
    SELECT r.id, r.sha256::text, 'media', r.storage_key::text, r.bytes, r.media_type::text
    FROM generation_job j
    JOIN generation_rendition r ON r.clip_id = j.extends_id AND r.kind = 'master'
    WHERE j.id = job AND NOT clip_is_removed(j.extends_id)
$$;
