-- Pictures and short clips that testers send, and the frames of a job at which they are shown.

-- Everything here is one party's in one programme.
ALTER TABLE generation_reference
    ADD CONSTRAINT reference_credential_is_its_partys FOREIGN KEY (credential_id, party_id)
        REFERENCES accounts_credential (id, party_id),
    ADD CONSTRAINT reference_belongs_to_its_party UNIQUE (id, party_id, programme_id);
ALTER TABLE generation_referencestill
    ADD CONSTRAINT still_belongs_to_its_reference UNIQUE (id, reference_id);
ALTER TABLE generation_job
    ADD CONSTRAINT job_is_of_one_party UNIQUE (id, party_id, programme_id);
ALTER TABLE generation_jobcondition
    ADD CONSTRAINT condition_is_of_its_jobs_party FOREIGN KEY (job_id, party_id, programme_id)
        REFERENCES generation_job (id, party_id, programme_id),
    ADD CONSTRAINT condition_shows_ones_own_reference
        FOREIGN KEY (reference_id, party_id, programme_id)
        REFERENCES generation_reference (id, party_id, programme_id),
    ADD CONSTRAINT condition_shows_a_still_of_its_reference FOREIGN KEY (still_id, reference_id)
        REFERENCES generation_referencestill (id, reference_id);

-- Whoever adds references for a party comes after whoever does so already.
CREATE FUNCTION references_one_at_a_time(party uuid) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('references of ' || party, 0))
$$;

-- The same numbers as generation.references.rules.
CREATE FUNCTION generation_reference_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kept bigint;
    kept_bytes bigint;
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    IF NEW.made_at IS DISTINCT FROM core_now() OR NEW.removed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a reference is made now, and stands'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_reference_begins_standing';
    END IF;
    IF NOT accounts_holds(NEW.programme_id, NEW.party_id, ARRAY['tester']) THEN
        RAISE EXCEPTION 'only testers of a programme keep references in it'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_reference_is_a_testers';
    END IF;
    PERFORM references_one_at_a_time(NEW.party_id);
    SELECT count(*), coalesce(sum(bytes), 0) INTO kept, kept_bytes FROM generation_reference
        WHERE programme_id = NEW.programme_id AND party_id = NEW.party_id AND cleared_at IS NULL;
    IF kept >= 100 OR kept_bytes + NEW.bytes > 500 * 1024 * 1024 THEN
        RAISE EXCEPTION 'a tester keeps so much and no more'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_tester_keeps_so_much';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reference_begins BEFORE INSERT ON generation_reference
    FOR EACH ROW EXECUTE FUNCTION generation_reference_begins();

CREATE FUNCTION generation_reference_law() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    goes text[] := ARRAY['removed_at', 'removed_why', 'due_at', 'cleared_at', 'name'];
BEGIN
    IF to_jsonb(NEW) - goes <> to_jsonb(OLD) - goes OR NEW.name NOT IN (OLD.name, '') THEN
        RAISE EXCEPTION 'what was sent never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_reference_is_what_was_sent';
    END IF;
    IF NEW.removed_at IS DISTINCT FROM OLD.removed_at
       AND (OLD.removed_at IS NOT NULL OR NEW.removed_at IS DISTINCT FROM core_now()) THEN
        RAISE EXCEPTION 'a reference is removed once, and now'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_reference_is_removed_once';
    END IF;
    -- What is to go may go earlier for another reason, as long as it is there.
    IF OLD.removed_at IS NOT NULL AND (NEW.due_at, NEW.removed_why) <> (OLD.due_at, OLD.removed_why)
       AND (NEW.due_at > OLD.due_at OR OLD.cleared_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a removal is not put off'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_removal_of_a_reference_stands';
    END IF;
    IF NEW.cleared_at IS DISTINCT FROM OLD.cleared_at THEN
        IF OLD.cleared_at IS NOT NULL OR NEW.cleared_at IS DISTINCT FROM core_now()
           OR OLD.removed_at IS NULL THEN
            RAISE EXCEPTION 'the files of a removed reference go once, and now'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_reference_is_cleared_once';
        END IF;
        PERFORM accounts_must_see_what_was_committed();
        IF EXISTS (SELECT FROM generation_jobcondition c JOIN generation_job j ON j.id = c.job_id
                   WHERE c.reference_id = NEW.id AND j.state IN ('queued', 'running', 'held')) THEN
            RAISE EXCEPTION 'a job that is under way shows this reference'
                USING ERRCODE = 'restrict_violation',
                      CONSTRAINT = 'a_reference_stays_while_a_job_shows_it';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reference_law BEFORE UPDATE ON generation_reference
    FOR EACH ROW EXECUTE FUNCTION generation_reference_law();

CREATE FUNCTION generation_still_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Locked: it cannot be removed before this is written.
    PERFORM FROM generation_reference WHERE id = NEW.reference_id AND removed_at IS NULL
        AND frames > NEW.frame FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a still is a frame of a reference that stands'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_still_is_a_frame_of_its_reference';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER still_law BEFORE INSERT ON generation_referencestill
    FOR EACH ROW EXECUTE FUNCTION generation_still_law();

CREATE FUNCTION generation_condition_law() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF NEW.number >= (SELECT most_conditions FROM generation_videomodel
                      WHERE id = ordered.model_id) THEN
        RAISE EXCEPTION 'the model takes no more pictures'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_takes_so_many_pictures';
    END IF;
    -- Locked: it cannot be removed before this is written.
    PERFORM FROM generation_reference WHERE id = NEW.reference_id AND removed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a reference that was removed is shown by no new job'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_removed_reference_is_not_shown';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER condition_law BEFORE INSERT ON generation_jobcondition
    FOR EACH ROW EXECUTE FUNCTION generation_condition_law();

-- At the end of the order: what its pictures make of it is something the model offers. The same
-- as generation.engines.order.mode_of.
CREATE FUNCTION generation_conditions_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ordered generation_job;
    at integer[];
    mode text;
BEGIN
    SELECT * INTO ordered FROM generation_job WHERE id = NEW.job_id;
    SELECT array_agg(frame ORDER BY frame) INTO at
        FROM generation_jobcondition WHERE job_id = NEW.job_id;
    mode := CASE WHEN at = ARRAY[0] THEN 'image'
                 WHEN at = ARRAY[0, ordered.frames - 1] THEN 'first_last'
                 ELSE 'keyframes' END;
    IF NOT mode = ANY (SELECT unnest(modes) FROM generation_videomodel
                       WHERE id = ordered.model_id) THEN
        RAISE EXCEPTION 'the model does not offer %', mode
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_is_asked_for_what_it_offers';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER conditions_fit AFTER INSERT ON generation_jobcondition
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION generation_conditions_fit();

-- What its owner may receive of a reference that stands: the frame, its first one or its last.
CREATE FUNCTION reference_picture_for(wanted uuid, reader uuid, is_end boolean)
RETURNS TABLE (still_id uuid, programme_id uuid, storage_path text, bytes bigint, sha256 text)
LANGUAGE sql STABLE AS $$
    SELECT s.id, r.programme_id, s.storage_key::text, s.bytes, s.sha256::text
    FROM generation_reference r JOIN generation_referencestill s ON s.reference_id = r.id
    WHERE r.id = wanted AND r.party_id = reader AND r.removed_at IS NULL
    ORDER BY CASE WHEN is_end THEN -s.frame ELSE s.frame END LIMIT 1
$$;
