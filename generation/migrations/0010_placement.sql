-- What Django cannot say about devices.

-- Whether a job that was lost on one device (NULL: on none) may be taken by this one: it is another,
-- or no other that is well serves the lane. Two minutes: a worker says twice a minute that it is there.
CREATE FUNCTION generation_may_take(lost_on uuid, wanted text, here uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT lost_on IS DISTINCT FROM here OR NOT EXISTS (
        SELECT FROM generation_device d
        WHERE d.id <> here AND d.state = 'serving'
          AND d.seen_at > core_now() - interval '2 minutes' AND wanted = ANY (d.lanes))
$$;

-- The table of moves of generation.placement.rules, once more.
CREATE FUNCTION generation_device_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.machine, NEW.name, NEW.announced_at)
       IS DISTINCT FROM (OLD.id, OLD.machine, OLD.name, OLD.announced_at) THEN
        RAISE EXCEPTION 'a device stays the one it is'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_device_stays_itself';
    END IF;
    IF OLD.state = 'out' AND NEW.state = 'draining' THEN
        RAISE EXCEPTION 'no move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'device_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device_law BEFORE UPDATE ON generation_device
    FOR EACH ROW EXECUTE FUNCTION generation_device_law();

-- Locked FOR SHARE: whoever drains it waits for this attempt to be there, or this one finds it drained.
CREATE FUNCTION generation_attempt_is_served() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM generation_device WHERE id = NEW.on_device_id AND state = 'serving' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an attempt begins on a device that serves'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_attempt_begins_on_a_serving_device';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attempt_is_served BEFORE INSERT ON generation_attempt
    FOR EACH ROW EXECUTE FUNCTION generation_attempt_is_served();

-- Where an attempt ran is as much history as when it began.
CREATE OR REPLACE FUNCTION generation_attempt_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'an attempt ends once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'attempt_ends_once';
    END IF;
    IF NEW.on_device_id IS DISTINCT FROM OLD.on_device_id THEN
        RAISE EXCEPTION 'an attempt stays on its device'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_attempt_stays_on_its_device';
    END IF;
    RETURN NEW;
END $$;
