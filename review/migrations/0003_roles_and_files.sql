-- Roles end by themselves now, and files can go: what asks for either asks in one place.
CREATE OR REPLACE FUNCTION review_bar(wanted uuid, judge uuid) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN c.owner_id = judge THEN 'own_work'
        WHEN NOT accounts_holds(c.programme_id, judge, ARRAY['reviewer'])
          OR NOT EXISTS (SELECT FROM accounts_person WHERE party_id = judge AND is_active)
        THEN 'no_reviewer'
        WHEN EXISTS (SELECT FROM review_decision d
                     WHERE d.chain_id = c.chain_id AND d.reviewer_id = judge) THEN 'in_the_chain'
        WHEN EXISTS (SELECT FROM review_sealedperson p
                     JOIN review_submission s ON s.id = p.submission_id
                     WHERE s.clip_id = c.chain_id AND p.party_id = judge)
          OR EXISTS (SELECT FROM review_creditline l
                     WHERE l.clip_id = c.chain_id AND l.party_id = judge
                       AND l.state <> 'declined') THEN 'took_part'
        WHEN EXISTS (SELECT FROM review_skip k JOIN review_case o ON o.id = k.case_id
                     WHERE o.chain_id = c.chain_id AND k.reviewer_id = judge
                       AND k.why = 'conflict') THEN 'declared_conflict'
    END
    FROM review_case c WHERE c.id = wanted
$$;

CREATE OR REPLACE FUNCTION review_contribution_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.programme_id, NEW.party_id, NEW.kind, NEW.clip_id, NEW.frame_from,
        NEW.frame_to, NEW.title, NEW.words, NEW.rate_id, NEW.filed_at)
       IS DISTINCT FROM (OLD.id, OLD.programme_id, OLD.party_id, OLD.kind, OLD.clip_id,
        OLD.frame_from, OLD.frame_to, OLD.title, OLD.words, OLD.rate_id, OLD.filed_at) THEN
        RAISE EXCEPTION 'what was filed never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'contribution_is_what_was_filed';
    END IF;
    IF NOT (OLD.state, NEW.state) IN (('filed', 'accepted'), ('filed', 'declined')) THEN
        RAISE EXCEPTION 'no move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'contribution_moves';
    END IF;
    IF NOT accounts_holds(NEW.programme_id, NEW.triaged_by_id, ARRAY['reviewer', 'manager']) THEN
        RAISE EXCEPTION 'a contribution is triaged by staff of its programme'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'contribution_is_triaged_by_staff';
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION review_holds(in_programme uuid, who uuid, roles text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT accounts_holds(in_programme, who, roles)
$$;

CREATE OR REPLACE FUNCTION released_rendition(wanted uuid, link_digest bytea)
RETURNS TABLE (rendition_id uuid, storage_path text, bytes bigint, sha256 text, media_type text,
               filename text, why text)
LANGUAGE sql STABLE AS $$
    SELECT r.id, r.storage_key::text, r.bytes, r.sha256::text, r.media_type::text,
           'rel_' || core_shown(l.id) ||
               CASE r.kind WHEN 'master' THEN '' ELSE '-' || r.kind END || '.' ||
               CASE r.media_type WHEN 'video/mp4' THEN 'mp4' WHEN 'image/webp' THEN 'webp'
                    ELSE 'bin' END,
           CASE WHEN link_digest IS NULL THEN 'showcase' ELSE 'link' END
    FROM generation_rendition r
    JOIN review_release l ON l.clip_id = r.clip_id AND l.master_sha256 = r.master_sha256
        AND l.ended_at IS NULL
    WHERE r.id = wanted AND NOT clip_is_removed(r.clip_id)
      AND CASE WHEN link_digest IS NULL THEN l.is_listed
               ELSE EXISTS (SELECT FROM review_sharelink s
                            WHERE s.release_id = l.id AND s.digest = link_digest
                              AND s.revoked_at IS NULL) END
$$;

-- What is shown or judged keeps its files; nor does a term take away an appeal that is still open.
CREATE FUNCTION review_removal_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM review_must_see_what_was_committed();
    PERFORM clip_one_at_a_time(NEW.clip_id);
    IF EXISTS (SELECT FROM review_release WHERE clip_id = NEW.clip_id AND ended_at IS NULL)
       OR EXISTS (SELECT FROM review_case
                  WHERE chain_id = NEW.clip_id AND state IN ('queued', 'claimed'))
       OR NEW.why = 'retention' AND EXISTS (
           SELECT FROM review_decision d
           JOIN review_case c ON c.id = d.case_id
           JOIN review_submission s ON s.id = c.submission_id
           JOIN review_charterversion ch ON ch.id = s.charter_id
           WHERE d.chain_id = NEW.clip_id AND d.round = 1 AND d.outcome <> 'approved'
             AND core_now() <= d.decided_at + make_interval(hours => 24 * ch.appeal_open_days)
             AND NOT EXISTS (SELECT FROM review_appeal a WHERE a.decision_id = d.id)) THEN
        RAISE EXCEPTION 'what is shown or judged keeps its files'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'what_is_shown_or_judged_stays';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER removal_waits BEFORE UPDATE OF done_at ON generation_removal
    FOR EACH ROW WHEN (NEW.done_at IS NOT NULL) EXECUTE FUNCTION review_removal_waits();

CREATE FUNCTION review_needs_files() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wanted uuid := (to_jsonb(NEW) ->> TG_ARGV[0])::uuid;
BEGIN
    PERFORM review_must_see_what_was_committed();
    PERFORM clip_one_at_a_time(wanted);
    IF clip_is_removed(wanted) THEN
        RAISE EXCEPTION 'a clip whose files are gone is neither judged nor shown'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'nothing_is_shown_without_its_files';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER needs_files BEFORE INSERT ON review_submission
    FOR EACH ROW EXECUTE FUNCTION review_needs_files('clip_id');
CREATE TRIGGER needs_files BEFORE INSERT ON review_case
    FOR EACH ROW EXECUTE FUNCTION review_needs_files('chain_id');
CREATE TRIGGER needs_files BEFORE INSERT ON review_release
    FOR EACH ROW EXECUTE FUNCTION review_needs_files('clip_id');

-- Whoever may make a temporary table could stand one before ours: each law looks there last.
DO $$
DECLARE
    law regprocedure;
BEGIN
    FOR law IN SELECT oid::regprocedure FROM pg_proc
               WHERE pronamespace = 'public'::regnamespace AND prorettype = 'trigger'::regtype LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_temp', law);
    END LOOP;
END $$;
