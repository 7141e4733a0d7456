-- A device login lasts ten minutes; it is what was asked, and moves one way.
ALTER TABLE accounts_devicelogin
    ADD CONSTRAINT a_device_login_lasts_ten_minutes
        CHECK (expires_at = made_at + interval '10 minutes'),
    -- One row written twice over by a program that never slows down must not run out of numbers.
    ADD CONSTRAINT a_device_login_is_asked_in_seconds CHECK (interval_s BETWEEN 1 AND 300);

-- Anybody may begin one, without an account: so many from one address (of IPv6, from one network
-- of 64 bits), and so many in all, within ten minutes.
CREATE FUNCTION accounts_device_login_begins() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    place cidr := network(set_masklen(NEW.asked_from, CASE family(NEW.asked_from) WHEN 6 THEN 64 ELSE 32 END));
BEGIN
    IF NEW.made_at IS DISTINCT FROM core_now() OR NEW.state <> 'waiting'
       OR NEW.opened_by_id IS NOT NULL OR NEW.polled_at IS NOT NULL THEN
        RAISE EXCEPTION 'a device login begins waiting, now, and nobody''s'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_device_login_begins_waiting';
    END IF;
    PERFORM accounts_must_see_what_was_committed();
    PERFORM pg_advisory_xact_lock(hashtextextended('device logins', 0));
    IF (SELECT count(*) >= 2000 OR count(*) FILTER (WHERE asked_from <<= place) >= 20
        FROM accounts_devicelogin WHERE made_at > core_now() - interval '10 minutes') THEN
        RAISE EXCEPTION 'too many device logins were begun within ten minutes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'device_logins_are_not_hammered';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device_login_begins BEFORE INSERT ON accounts_devicelogin
    FOR EACH ROW EXECUTE FUNCTION accounts_device_login_begins();

CREATE FUNCTION accounts_device_login_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.device_digest, NEW.user_digest, NEW.client_name, NEW.scopes, NEW.days,
        NEW.asked_from, NEW.made_at, NEW.expires_at)
       IS DISTINCT FROM (OLD.id, OLD.device_digest, OLD.user_digest, OLD.client_name, OLD.scopes,
        OLD.days, OLD.asked_from, OLD.made_at, OLD.expires_at)
       OR OLD.state <> 'waiting' AND (NEW.programme_id, NEW.allowed_scopes, NEW.allowed_days,
        NEW.allowed_with_id, NEW.auth_method)
       IS DISTINCT FROM (OLD.programme_id, OLD.allowed_scopes, OLD.allowed_days,
        OLD.allowed_with_id, OLD.auth_method)
       OR OLD.state = 'taken' AND NEW.token_id IS DISTINCT FROM OLD.token_id THEN
        RAISE EXCEPTION 'what was asked and what was allowed never change'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'device_login_is_what_was_asked';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN
       (('waiting', 'allowed'), ('waiting', 'denied'), ('allowed', 'taken')) THEN
        RAISE EXCEPTION 'a device login does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'device_login_moves';
    END IF;
    IF NEW.opened_by_id IS DISTINCT FROM OLD.opened_by_id
       AND (OLD.opened_by_id IS NOT NULL OR OLD.state <> 'waiting')
       OR NEW.state <> 'waiting' AND NEW.opened_by_id IS NULL THEN
        RAISE EXCEPTION 'a device login is answered by the one person who typed its code'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_device_login_is_one_persons';
    END IF;
    IF (NEW.state, NEW.opened_by_id) IS DISTINCT FROM (OLD.state, OLD.opened_by_id)
       AND NEW.expires_at <= core_now() THEN
        RAISE EXCEPTION 'the ten minutes of this device login are over'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_device_login_ends';
    END IF;
    -- Both at the allowing and at the taking: whoever signed out meanwhile allows nothing.
    IF NEW.state <> OLD.state AND NEW.state IN ('allowed', 'taken') AND NOT EXISTS (
        SELECT FROM accounts_credential c
        WHERE c.id = NEW.allowed_with_id AND c.party_id = NEW.opened_by_id AND c.kind = 'session'
          AND c.state IN ('active', 'retiring') AND c.expires_at > core_now()) THEN
        RAISE EXCEPTION 'a device login is allowed from a live portal session of who opened it'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_device_login_is_allowed_by_who_opened_it';
    END IF;
    IF NEW.state = 'taken' AND OLD.state <> 'taken' AND NOT EXISTS (
        SELECT FROM accounts_credential c
        WHERE c.id = NEW.token_id AND c.party_id = NEW.opened_by_id AND c.kind = 'token'
          AND c.programme_id = NEW.programme_id AND c.scopes <@ NEW.allowed_scopes
          AND c.minted_at = core_now() AND c.minted_auth_method = NEW.auth_method
          AND c.expires_at = c.minted_at + make_interval(days => NEW.allowed_days)) THEN
        RAISE EXCEPTION 'the token of a device login is what was allowed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_device_login_gives_what_was_allowed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device_login_law BEFORE UPDATE ON accounts_devicelogin
    FOR EACH ROW EXECUTE FUNCTION accounts_device_login_law();

-- Gone before its time, it would make room for one more.
CREATE FUNCTION accounts_device_login_is_forgotten() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF OLD.expires_at > core_now() THEN
        RAISE EXCEPTION 'a device login is forgotten when its ten minutes are over'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_device_login_is_forgotten_when_it_is_over';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER device_login_is_forgotten BEFORE DELETE ON accounts_devicelogin
    FOR EACH ROW EXECUTE FUNCTION accounts_device_login_is_forgotten();

-- Ten codes within ten minutes, right or wrong: of 20^8, nobody finds one.
CREATE FUNCTION accounts_device_login_try() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' OR TG_OP = 'DELETE' AND OLD.at > core_now() - interval '10 minutes' THEN
        RAISE EXCEPTION 'a try counts for ten minutes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_try_counts_for_ten_minutes';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.at IS DISTINCT FROM core_now() THEN
        RAISE EXCEPTION 'a try is of this moment'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_try_is_of_this_moment';
    END IF;
    PERFORM accounts_must_see_what_was_committed();
    PERFORM pg_advisory_xact_lock(hashtextextended('user codes:' || NEW.party_id, 0));
    IF (SELECT count(*) FROM accounts_devicelogintry
        WHERE party_id = NEW.party_id AND at > core_now() - interval '10 minutes') >= 10 THEN
        RAISE EXCEPTION 'ten codes were typed within ten minutes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'user_codes_are_not_guessed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device_login_try BEFORE INSERT OR UPDATE OR DELETE ON accounts_devicelogintry
    FOR EACH ROW EXECUTE FUNCTION accounts_device_login_try();
