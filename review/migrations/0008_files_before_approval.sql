-- What a policy says of files before approval is handed down, and so is every approval.

CREATE FUNCTION review_hands_down_files_before() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO generation_filesbefore (programme_id, allows)
        VALUES (NEW.programme_id, NEW.files_before)
        ON CONFLICT (programme_id) DO UPDATE SET allows = EXCLUDED.allows;
    RETURN NULL;
END $$;
CREATE TRIGGER policy_hands_down_files AFTER INSERT ON review_policyversion
    FOR EACH ROW EXECUTE FUNCTION review_hands_down_files_before();

-- Programmes that have a policy already give everything, as they did.
INSERT INTO generation_filesbefore (programme_id, allows)
    SELECT DISTINCT programme_id, 'clip' FROM review_policyversion;

CREATE FUNCTION review_files_before_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.allows IS DISTINCT FROM (
        SELECT files_before FROM review_policyversion WHERE programme_id = NEW.programme_id
        ORDER BY number DESC LIMIT 1) OR TG_OP = 'UPDATE' AND NEW.programme_id <> OLD.programme_id THEN
        RAISE EXCEPTION 'which files an owner gets is what the policy in force says'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'files_before_are_the_policys';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER files_before_law BEFORE INSERT OR UPDATE ON generation_filesbefore
    FOR EACH ROW EXECUTE FUNCTION review_files_before_law();

CREATE FUNCTION review_approval_opens_files() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM generation_heldback WHERE clip_id = NEW.chain_id;
    RETURN NULL;
END $$;
CREATE TRIGGER an_approval_opens_files AFTER INSERT ON review_decision
    FOR EACH ROW WHEN (NEW.outcome = 'approved') EXECUTE FUNCTION review_approval_opens_files();

CREATE FUNCTION review_held_back_until_approved() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM review_decision
                   WHERE chain_id = OLD.clip_id AND outcome = 'approved') THEN
        RAISE EXCEPTION 'a clip is held back until it is approved'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'held_back_until_approved';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER held_back_until_approved BEFORE DELETE ON generation_heldback
    FOR EACH ROW EXECUTE FUNCTION review_held_back_until_approved();

-- Why a clip's files are held back, for its owner: it was not judged yet, or was not approved, with
-- the last decision's own words.
CREATE FUNCTION why_held_back(wanted uuid) RETURNS TABLE (code text, reason text)
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN last.reason IS NULL THEN 'content_pending_review' ELSE 'content_rejected' END,
           coalesce(last.reason, '')
    FROM (SELECT 1) one LEFT JOIN LATERAL (
        SELECT d.reason::text FROM review_decision d
        WHERE d.chain_id = wanted AND d.outcome <> 'approved'
          AND NOT EXISTS (SELECT FROM review_case
                          WHERE chain_id = wanted AND state IN ('queued', 'claimed'))
        ORDER BY d.decided_at DESC, d.id DESC LIMIT 1
    ) last ON true
$$;

-- A file that this party would get if it were not held back, and why it is; else no row.
CREATE FUNCTION file_held_back(wanted uuid, reader uuid)
RETURNS TABLE (programme_id uuid, code text, reason text)
LANGUAGE sql STABLE AS $$
    SELECT c.programme_id, w.code, w.reason
    FROM generation_rendition r JOIN generation_clip c ON c.id = r.clip_id,
         LATERAL why_held_back(c.id) w
    WHERE r.id = wanted AND c.party_id = reader AND NOT clip_is_removed(c.id)
      AND NOT file_is_open(r.kind::text, clip_allows(c.id))
$$;

-- The content of a job's clip for its owner: the file itself, or the light copy where that is what
-- they get; or why there is none for now.
CREATE FUNCTION content_for(wanted uuid, reader uuid, variant text)
RETURNS TABLE (rendition_id uuid, clip_id uuid, programme_id uuid, storage_path text, bytes bigint,
               sha256 text, media_type text, filename text, code text, reason text)
LANGUAGE sql STABLE AS $$
    SELECT o.rendition_id, c.id, c.programme_id, o.storage_path, o.bytes, o.sha256, o.media_type,
           o.filename, coalesce(w.code, ''), coalesce(w.reason, '')
    FROM generation_clip c
    JOIN LATERAL (
        SELECT CASE variant WHEN 'video' THEN ARRAY['master', 'proxy']
                            WHEN 'thumbnail' THEN ARRAY['poster']
                            WHEN 'spritesheet' THEN ARRAY['sprite'] END AS kinds
    ) asked ON asked.kinds IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT f.* FROM generation_rendition r, LATERAL rendition_for(r.id, reader) f
        WHERE r.clip_id = c.id AND r.kind = ANY (asked.kinds)
        ORDER BY array_position(asked.kinds, r.kind::text) LIMIT 1
    ) o ON true
    LEFT JOIN LATERAL why_held_back(c.id) w ON o.rendition_id IS NULL
    WHERE c.job_id = wanted AND c.party_id = reader AND NOT clip_is_removed(c.id)
$$;
