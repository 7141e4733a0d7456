-- A lease is how soon a worker that fell silent is noticed, and how soon one that goes on hears that
-- its credential ended. Workers take half a minute; whatever lies far beyond would be neither.
CREATE FUNCTION generation_lease_ends_soon() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.lease_until > core_now() + interval '10 minutes' THEN
        RAISE EXCEPTION 'a lease ends within ten minutes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_lease_ends_soon';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lease_ends_soon BEFORE UPDATE OF lease_until ON generation_job
    FOR EACH ROW EXECUTE FUNCTION generation_lease_ends_soon();
