-- Which models a programme allows, and how the files of a clip go.
CREATE TRIGGER version_begins BEFORE INSERT ON generation_allowedmodels
    FOR EACH ROW EXECUTE FUNCTION accounts_version_begins();

-- Whether a programme lets its testers use a model: what its newest list says, else yes.
CREATE FUNCTION model_is_allowed(in_programme uuid, wanted text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT coalesce(wanted = ANY (slugs), false) FROM generation_allowedmodels
         WHERE programme_id = in_programme ORDER BY number DESC LIMIT 1),
        true)
$$;

CREATE FUNCTION generation_job_is_allowed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    IF NOT model_is_allowed(NEW.programme_id,
                            (SELECT slug FROM generation_videomodel WHERE id = NEW.model_id)) THEN
        RAISE EXCEPTION 'the programme does not allow this model'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_job_uses_an_allowed_model';
    END IF;
    IF NOT programme_is_working(NEW.programme_id) THEN
        RAISE EXCEPTION 'the programme takes no new work'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_job_begins_while_its_programme_works';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER job_is_allowed BEFORE INSERT ON generation_job
    FOR EACH ROW EXECUTE FUNCTION generation_job_is_allowed();

-- Somebody consents for a clip of their own only, and talks about such a one.
ALTER TABLE accounts_consentact ADD CONSTRAINT consent_is_for_ones_own_clip
    FOREIGN KEY (clip_id, party_id, programme_id)
    REFERENCES generation_clip (id, party_id, programme_id);
ALTER TABLE accounts_conversation ADD CONSTRAINT a_conversation_is_about_ones_own_clip
    FOREIGN KEY (clip_id, party_id, programme_id)
    REFERENCES generation_clip (id, party_id, programme_id);

CREATE FUNCTION generation_removal_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.announced_at IS DISTINCT FROM core_now() OR NEW.done_at IS NOT NULL
           OR NEW.stopped_at IS NOT NULL OR NEW.cleared_at IS NOT NULL THEN
            RAISE EXCEPTION 'a removal is announced first'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_removal_is_announced_first';
        END IF;
        IF NEW.why = 'retention' AND NEW.due_at < NEW.announced_at + interval '168 hours' THEN
            RAISE EXCEPTION 'an owner has a week after the warning'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_owner_is_warned_a_week_ahead';
        END IF;
        RETURN NEW;
    END IF;
    -- Afterwards only one thing is written: that the files are off the disk.
    IF OLD.done_at IS NOT NULL AND OLD.cleared_at IS NULL AND NEW.cleared_at IS NOT NULL
       AND to_jsonb(NEW) - 'cleared_at' = to_jsonb(OLD) - 'cleared_at' THEN
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.clip_id, NEW.why, NEW.announced_at, NEW.due_at)
       IS DISTINCT FROM (OLD.id, OLD.clip_id, OLD.why, OLD.announced_at, OLD.due_at)
       OR NEW.cleared_at IS DISTINCT FROM OLD.cleared_at
       OR OLD.done_at IS NOT NULL OR OLD.stopped_at IS NOT NULL THEN
        RAISE EXCEPTION 'a removal is done or stopped once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_removal_ends_once';
    END IF;
    IF NEW.done_at IS NOT NULL AND NEW.done_at > core_now() THEN
        RAISE EXCEPTION 'nothing is done in the future'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_removal_is_not_ahead_of_time';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER removal_law BEFORE INSERT OR UPDATE ON generation_removal
    FOR EACH ROW EXECUTE FUNCTION generation_removal_law();

-- Whoever judges or shows a clip and whoever removes its files come one after the other.
CREATE FUNCTION clip_one_at_a_time(wanted uuid) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('files of ' || wanted, 0))
$$;

-- Whether the files of a clip are gone.
CREATE FUNCTION clip_is_removed(wanted uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM generation_removal WHERE clip_id = wanted AND done_at IS NOT NULL)
$$;

CREATE OR REPLACE FUNCTION rendition_for(wanted uuid, reader uuid)
RETURNS TABLE (rendition_id uuid, clip_id uuid, storage_path text, bytes bigint, sha256 text,
               media_type text, filename text, is_owner boolean, role text, why text)
LANGUAGE sql STABLE AS $$
    SELECT r.id, r.clip_id, r.storage_key::text, r.bytes, r.sha256::text, r.media_type::text,
           'clp_' || core_shown(r.clip_id) ||
               CASE r.kind WHEN 'master' THEN '' ELSE '-' || r.kind END || '.' ||
               CASE r.media_type WHEN 'video/mp4' THEN 'mp4' WHEN 'image/webp' THEN 'webp'
                    ELSE 'bin' END,
           c.party_id = reader, coalesce(v.role, '')::text, coalesce(v.why, '')::text
    FROM generation_rendition r
    JOIN generation_clip c ON c.id = r.clip_id
    LEFT JOIN LATERAL (
        SELECT v.role, v.why FROM generation_viewing v
        WHERE v.clip_id = c.id AND v.viewer_id = reader AND v.until > core_now()
          AND accounts_holds(c.programme_id, reader, ARRAY[v.role::text])
        ORDER BY v.until DESC LIMIT 1
    ) v ON c.party_id <> reader
    WHERE r.id = wanted AND (c.party_id = reader OR v.role IS NOT NULL)
      AND NOT clip_is_removed(c.id)
$$;
