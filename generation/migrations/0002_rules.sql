-- What Django cannot say about these tables.

-- Everything a job names is its own party's, and its reservation was made for it.
ALTER TABLE generation_job
    ADD CONSTRAINT job_reservation_is_its_own FOREIGN KEY (reservation_id, id)
        REFERENCES accounts_reservation (id, work_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT job_credential_is_its_partys FOREIGN KEY (credential_id, party_id)
        REFERENCES accounts_credential (id, party_id),
    ADD CONSTRAINT job_voucher_is_its_partys FOREIGN KEY (vouched_by_id, party_id)
        REFERENCES accounts_credential (id, party_id),
    ADD CONSTRAINT job_acceptance_is_its_partys FOREIGN KEY (acceptance_id, party_id)
        REFERENCES accounts_acceptance (id, party_id);
ALTER TABLE generation_thread ADD CONSTRAINT thread_belongs_to_its_party
    UNIQUE (id, party_id, programme_id);
ALTER TABLE generation_job
    ADD CONSTRAINT job_thread_is_its_partys FOREIGN KEY (thread_id, party_id, programme_id)
        REFERENCES generation_thread (id, party_id, programme_id),
    ADD CONSTRAINT job_belongs_to_its_party UNIQUE (id, party_id, programme_id, thread_id);
ALTER TABLE generation_clip
    ADD CONSTRAINT clip_is_of_its_jobs_party
        FOREIGN KEY (job_id, party_id, programme_id, thread_id)
        REFERENCES generation_job (id, party_id, programme_id, thread_id),
    ADD CONSTRAINT clip_has_one_master UNIQUE (id, master_sha256);
ALTER TABLE generation_rendition
    ADD CONSTRAINT rendition_is_of_its_clips_master FOREIGN KEY (clip_id, master_sha256)
        REFERENCES generation_clip (id, master_sha256);

CREATE FUNCTION generation_job_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'queued' THEN
        RAISE EXCEPTION 'a job begins as queued'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'job_begins_queued';
    END IF;
    IF NOT EXISTS (
        SELECT FROM accounts_acceptance a
        JOIN accounts_agreementversion v ON v.id = a.version_id
        WHERE a.id = NEW.acceptance_id AND a.act = 'accepted'
          AND v.programme_id = NEW.programme_id
    ) THEN
        RAISE EXCEPTION 'a job rests on an accepted agreement of its programme'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'job_rests_on_an_acceptance';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER job_begins BEFORE INSERT ON generation_job
    FOR EACH ROW EXECUTE FUNCTION generation_job_begins();

-- The table of moves of generation.jobs.rules, once more.
CREATE FUNCTION generation_job_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> OLD.state AND NOT (OLD.state, NEW.state) IN (
        ('queued', 'running'), ('queued', 'cancelled'), ('queued', 'held'), ('queued', 'failed'),
        ('running', 'finished'), ('running', 'failed'), ('running', 'queued'),
        ('running', 'cancelled'), ('running', 'held'),
        ('held', 'queued'), ('held', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'no move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'job_moves';
    END IF;
    IF (NEW.id, NEW.programme_id, NEW.party_id, NEW.credential_id, NEW.acceptance_id,
        NEW.reservation_id, NEW.model_id, NEW.thread_id, NEW.prompt, NEW.seed, NEW.tier,
        NEW.width, NEW.height, NEW.generated_width, NEW.generated_height, NEW.frames,
        NEW.rate_num, NEW.rate_den, NEW.steps, NEW.price_credits, NEW.lane, NEW.queue_number)
       IS DISTINCT FROM
       (OLD.id, OLD.programme_id, OLD.party_id, OLD.credential_id, OLD.acceptance_id,
        OLD.reservation_id, OLD.model_id, OLD.thread_id, OLD.prompt, OLD.seed, OLD.tier,
        OLD.width, OLD.height, OLD.generated_width, OLD.generated_height, OLD.frames,
        OLD.rate_num, OLD.rate_den, OLD.steps, OLD.price_credits, OLD.lane, OLD.queue_number) THEN
        RAISE EXCEPTION 'what was ordered never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'job_is_what_was_ordered';
    END IF;
    IF NEW.fence < OLD.fence OR (NEW.state = 'running' AND OLD.state <> 'running'
                                 AND NEW.fence <= OLD.fence) THEN
        RAISE EXCEPTION 'the fence only grows, and with every claim'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'job_fence_grows';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER job_law BEFORE UPDATE ON generation_job
    FOR EACH ROW EXECUTE FUNCTION generation_job_law();

-- A finished job has a clip, a clip's job is finished: checked when the transaction ends.
CREATE FUNCTION generation_job_finished_has_a_clip() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM generation_job WHERE id = NEW.id AND state = 'finished')
       AND NOT EXISTS (SELECT FROM generation_clip WHERE job_id = NEW.id) THEN
        RAISE EXCEPTION 'a finished job has a clip'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_finished_job_has_a_clip';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_finished_job_has_a_clip AFTER UPDATE OF state ON generation_job
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.state = 'finished')
    EXECUTE FUNCTION generation_job_finished_has_a_clip();

CREATE FUNCTION generation_clip_has_a_finished_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM generation_job WHERE id = NEW.job_id AND state = 'finished') THEN
        RAISE EXCEPTION 'a clip belongs to a finished job'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_clip_has_a_finished_job';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER a_clip_has_a_finished_job AFTER INSERT ON generation_clip
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION generation_clip_has_a_finished_job();

-- A job that is over has settled its reservation, and one that is live still holds it.
CREATE FUNCTION generation_job_settles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM generation_job j JOIN accounts_reservation r ON r.id = j.reservation_id
        WHERE j.id = NEW.id
          AND (j.state IN ('finished', 'failed', 'cancelled')) <> (r.state <> 'held')
    ) THEN
        RAISE EXCEPTION 'a job and its reservation end together'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'job_and_reservation_end_together';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER job_and_reservation_end_together AFTER UPDATE OF state ON generation_job
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION generation_job_settles();

CREATE FUNCTION generation_attempt_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'an attempt ends once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'attempt_ends_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attempt_law BEFORE UPDATE ON generation_attempt
    FOR EACH ROW EXECUTE FUNCTION generation_attempt_law();

CREATE FUNCTION generation_model_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'state' - 'order' <> to_jsonb(OLD) - 'state' - 'order' THEN
        RAISE EXCEPTION 'a model revision never changes; add another one'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'model_revision_never_changes';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER model_law BEFORE UPDATE ON generation_videomodel
    FOR EACH ROW EXECUTE FUNCTION generation_model_law();

-- Start-time fair queueing (Goyal, Vin and Cheng 1996): a job starts in virtual time where the
-- lane stands now, or where this party's last live job ends, whichever is later. Stored at
-- submit, so that a claim reads one index entry.
CREATE FUNCTION generation_fair_tag(in_lane text, of_party uuid) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT greatest(
        coalesce(
            (SELECT fair_tag FROM generation_job
             WHERE lane = in_lane AND state = 'running' ORDER BY fair_tag DESC LIMIT 1),
            (SELECT fair_tag FROM generation_job
             WHERE lane = in_lane AND state = 'queued' ORDER BY fair_tag LIMIT 1),
            -- An empty lane begins where the others stand: from zero it would outrank a long-busy
            -- one, and whoever waits there, for as long as it has work.
            (SELECT max(fair_tag) FROM generation_job WHERE state = 'running'),
            (SELECT min(fair_tag) FROM generation_job WHERE state = 'queued'),
            0),
        coalesce(
            (SELECT fair_end FROM generation_job
             WHERE lane = in_lane AND party_id = of_party AND state IN ('queued', 'running')
             ORDER BY fair_end DESC LIMIT 1),
            0))
$$;

-- For a submit into an empty lane, which looks at all the others.
CREATE INDEX jobs_waiting_anywhere ON generation_job (fair_tag) WHERE state = 'queued';

-- What live pages show of a job. ``place`` counts from 1 among the waiting of its lane;
-- ``eta_s`` is a guess from the lane's last clips, NULL before there were any.
CREATE FUNCTION live_job(wanted uuid)
RETURNS TABLE (job_id uuid, party_id uuid, state text, stage text, steps_done int, steps int,
               place int, eta_s int, clip_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT j.id, j.party_id, j.state::text, j.stage::text, j.steps_done, j.steps, p.place,
           ceil(p.place * t.seconds)::int, c.id
    FROM generation_job j
    LEFT JOIN generation_clip c ON c.job_id = j.id
    LEFT JOIN LATERAL (
        SELECT 1 + count(*)::int AS place FROM generation_job w
        WHERE w.lane = j.lane AND w.state = 'queued'
          AND (w.fair_tag, w.queue_number) < (j.fair_tag, j.queue_number)
    ) p ON j.state = 'queued'
    LEFT JOIN LATERAL (
        SELECT avg(extract(epoch FROM a.ended_at - a.began_at)) AS seconds FROM (
            SELECT a.began_at, a.ended_at
            FROM generation_job d JOIN generation_attempt a ON a.job_id = d.id
            WHERE d.lane = j.lane AND d.state = 'finished' AND a.outcome = 'finished'
            ORDER BY d.finished_at DESC LIMIT 10
        ) a
    ) t ON j.state = 'queued'
    WHERE j.id = wanted
$$;
CREATE INDEX jobs_finished_by_lane ON generation_job (lane, finished_at DESC)
    WHERE state = 'finished';

CREATE FUNCTION live_jobs(of_party uuid)
RETURNS TABLE (job_id uuid, party_id uuid, state text, stage text, steps_done int, steps int,
               place int, eta_s int, clip_id uuid)
LANGUAGE sql STABLE AS $$
    SELECT l.* FROM (
        SELECT j.id FROM generation_job j
        WHERE j.party_id = of_party AND j.state IN ('queued', 'running', 'held')
        ORDER BY j.queue_number DESC LIMIT 50
    ) AS mine, LATERAL live_job(mine.id) AS l
$$;

-- A rendition as this party may receive it: its owner always, staff of the programme while a
-- viewing they gave a reason for counts and their role is still held. Nobody else: no row.
CREATE FUNCTION rendition_for(wanted uuid, reader uuid)
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
        JOIN accounts_membership m ON m.programme_id = c.programme_id
            AND m.party_id = reader AND m.ended_at IS NULL
        JOIN accounts_rolegrant g ON g.membership_id = m.id AND g.role = v.role
            AND g.ended_at IS NULL
        WHERE v.clip_id = c.id AND v.viewer_id = reader AND v.until > core_now()
        ORDER BY v.until DESC LIMIT 1
    ) v ON c.party_id <> reader
    WHERE r.id = wanted AND (c.party_id = reader OR v.role IS NOT NULL)
$$;

CREATE FUNCTION record_opening(wanted uuid, reader uuid, with_credential uuid) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO generation_opening
        (id, rendition_id, viewer_id, credential_id, role, why, half_hour, at)
    SELECT core_new_id(), r.rendition_id, reader, with_credential, r.role, r.why,
           floor(extract(epoch FROM core_now()) / 1800)::int, core_now()
    FROM rendition_for(wanted, reader) r
    WHERE NOT r.is_owner
    ON CONFLICT (rendition_id, viewer_id, half_hour) DO NOTHING
$$;
