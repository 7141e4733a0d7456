-- Workers on other machines: with what they prove themselves, and which files are theirs to carry.

ALTER TABLE generation_workercredential
    ADD CONSTRAINT a_worker_credential_keeps_a_digest CHECK (octet_length(digest) = 32);

CREATE FUNCTION generation_worker_credential_begins() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.made_at IS DISTINCT FROM core_now() OR NEW.last_used_at IS NOT NULL
       OR NEW.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'a worker credential is made now, and counts'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_worker_credential_begins_live';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER worker_credential_begins BEFORE INSERT ON generation_workercredential
    FOR EACH ROW EXECUTE FUNCTION generation_worker_credential_begins();

CREATE FUNCTION generation_worker_credential_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.machine, NEW.key_id, NEW.digest, NEW.pepper_id, NEW.made_at)
       IS DISTINCT FROM (OLD.id, OLD.machine, OLD.key_id, OLD.digest, OLD.pepper_id, OLD.made_at) THEN
        RAISE EXCEPTION 'a worker credential stays that of its machine'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_worker_credential_stays_itself';
    END IF;
    IF OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'a worker credential is revoked for good'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_worker_credential_is_revoked_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER worker_credential_law BEFORE UPDATE ON generation_workercredential
    FOR EACH ROW EXECUTE FUNCTION generation_worker_credential_law();

-- Like credential_by_key: what is not live comes back too, so that a miss costs what a hit costs.
CREATE FUNCTION worker_credential_by_key(key text)
RETURNS TABLE (credential_id uuid, machine text, key_id text, digest bytea, pepper_id text,
               is_live boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT id, w.machine::text, w.key_id::text, w.digest, w.pepper_id::text, revoked_at IS NULL
    FROM generation_workercredential w WHERE w.key_id = key
$$;

-- An attempt on a device of the credential's own machine: where its files belong below the media
-- folder, and whether it has its job at this moment, under this fence. None for every other.
CREATE FUNCTION worker_attempt(credential uuid, attempt uuid, named bigint)
RETURNS TABLE (attempt_id uuid, job_id uuid, folder text, holds boolean)
LANGUAGE sql STABLE AS $$
    SELECT a.id, j.id, to_char(j.queued_at AT TIME ZONE 'UTC', 'YYYY/MM') || '/' || a.id,
           a.ended_at IS NULL AND a.fence = named AND j.fence = named
               AND j.state = 'running' AND j.lease_until > core_now()
    FROM generation_workercredential w
    JOIN generation_device d ON d.machine = w.machine
    JOIN generation_attempt a ON a.on_device_id = d.id
    JOIN generation_job j ON j.id = a.job_id
    WHERE w.id = credential AND w.revoked_at IS NULL AND a.id = attempt
$$;

-- What an order needs beside the model: its pictures, below the media folder. Both sides ask this,
-- the worker what to fetch and the web what it may give.
CREATE FUNCTION files_needed(job uuid)
RETURNS TABLE (file_id uuid, sha256 text, below text, storage_key text, size bigint,
               media_type text)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT s.id, s.sha256::text, 'media', s.storage_key::text, s.bytes, 'image/png'
    FROM generation_jobcondition c JOIN generation_referencestill s ON s.id = c.still_id
    WHERE c.job_id = job
$$;
