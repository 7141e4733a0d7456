-- What an owner gets of a clip before the review has approved it. The floor above hands both down:
-- what a programme says at present, and that a clip was approved.

CREATE FUNCTION generation_clip_is_held_back() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO generation_heldback (clip_id, programme_id, allows)
        SELECT NEW.id, NEW.programme_id, allows FROM generation_filesbefore
        WHERE programme_id = NEW.programme_id AND allows <> 'clip';
    RETURN NULL;
END $$;
CREATE TRIGGER a_new_clip_is_held_back AFTER INSERT ON generation_clip
    FOR EACH ROW EXECUTE FUNCTION generation_clip_is_held_back();

CREATE FUNCTION generation_heldback_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR NOT EXISTS (
        SELECT FROM generation_clip c JOIN generation_filesbefore f ON f.programme_id = c.programme_id
        WHERE c.id = NEW.clip_id AND c.made_at = core_now()
          AND (f.programme_id, f.allows) = (NEW.programme_id, NEW.allows)) THEN
        RAISE EXCEPTION 'a clip is held back from the start, as its programme says then'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_clip_is_held_back_from_the_start';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER heldback_law BEFORE INSERT OR UPDATE ON generation_heldback
    FOR EACH ROW EXECUTE FUNCTION generation_heldback_law();

-- What its owner gets of a clip: what was said when it was made, or what is said now where that is
-- more. Once it is approved it is held back no more.
CREATE FUNCTION clip_allows(wanted uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT CASE WHEN 'clip' IN (h.allows, f.allows) THEN 'clip'
                     WHEN 'preview' IN (h.allows, f.allows) THEN 'preview' ELSE 'pictures' END
         FROM generation_heldback h
         JOIN generation_filesbefore f ON f.programme_id = h.programme_id
         WHERE h.clip_id = wanted),
        'clip')
$$;

-- The same as generation.clips.rules.opens.
CREATE FUNCTION file_is_open(kind text, allows text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE allows WHEN 'clip' THEN true
                       WHEN 'preview' THEN kind <> 'master'
                       ELSE kind NOT IN ('master', 'proxy') END
$$;

-- As before; nor does its owner get what is held back.
CREATE OR REPLACE FUNCTION rendition_for(wanted uuid, reader uuid)
RETURNS TABLE (rendition_id uuid, clip_id uuid, storage_path text, bytes bigint, sha256 text,
               media_type text, filename text, is_owner boolean, role text, why text)
LANGUAGE sql STABLE AS $$
    SELECT r.id, r.clip_id, r.storage_key::text, r.bytes, r.sha256::text, r.media_type::text,
           'clp_' || core_shown(r.clip_id) ||
               CASE r.kind WHEN 'master' THEN '' ELSE '-' || r.kind END || '.' ||
               CASE r.media_type WHEN 'video/mp4' THEN 'mp4' WHEN 'image/webp' THEN 'webp'
                    WHEN 'text/vtt' THEN 'vtt' ELSE 'bin' END,
           c.party_id = reader, coalesce(v.role, '')::text, coalesce(v.why, '')::text
    FROM generation_rendition r
    JOIN generation_clip c ON c.id = r.clip_id
    LEFT JOIN LATERAL (
        SELECT v.role, v.why FROM generation_viewing v
        WHERE v.clip_id = c.id AND v.viewer_id = reader AND v.until > core_now()
          AND accounts_holds(c.programme_id, reader, ARRAY[v.role::text])
        ORDER BY v.until DESC LIMIT 1
    ) v ON c.party_id <> reader
    WHERE r.id = wanted AND NOT clip_is_removed(c.id)
      AND CASE WHEN c.party_id = reader THEN file_is_open(r.kind::text, clip_allows(c.id))
               ELSE v.role IS NOT NULL END
$$;
