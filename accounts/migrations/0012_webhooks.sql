-- What belongs to an endpoint goes with it, and the log of a delivery with the delivery.
ALTER TABLE accounts_webhooksecret ADD CONSTRAINT secret_goes_with_its_webhook
    FOREIGN KEY (endpoint_id) REFERENCES accounts_webhookendpoint (id) ON DELETE CASCADE;
ALTER TABLE accounts_webhookdelivery ADD CONSTRAINT delivery_goes_with_its_webhook
    FOREIGN KEY (endpoint_id) REFERENCES accounts_webhookendpoint (id) ON DELETE CASCADE;
ALTER TABLE accounts_webhookattempt ADD CONSTRAINT attempt_goes_with_its_delivery
    FOREIGN KEY (delivery_id) REFERENCES accounts_webhookdelivery (id) ON DELETE CASCADE;

ALTER TABLE accounts_webhookdelivery ADD CONSTRAINT a_webhook_body_is_small
    CHECK (octet_length(body) < 20000);

-- Endpoints -----------------------------------------------------------------------------------
CREATE FUNCTION accounts_webhook_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Held, so that the membership does not end meanwhile.
        PERFORM FROM accounts_membership
        WHERE party_id = NEW.party_id AND programme_id = NEW.programme_id AND ended_at IS NULL
        FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'only a member of a programme is told what happens in it'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_webhook_is_a_members';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.programme_id, NEW.party_id, NEW.slot, NEW.made_at)
       IS DISTINCT FROM (OLD.id, OLD.programme_id, OLD.party_id, OLD.slot, OLD.made_at) THEN
        RAISE EXCEPTION 'whose webhook it is never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_webhook_stays_its_owners';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER webhook_law BEFORE INSERT OR UPDATE ON accounts_webhookendpoint
    FOR EACH ROW EXECUTE FUNCTION accounts_webhook_law();

CREATE FUNCTION accounts_webhooks_end() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM accounts_webhookendpoint
    WHERE party_id = NEW.party_id AND programme_id = NEW.programme_id;
    RETURN NULL;
END $$;
CREATE TRIGGER webhooks_end_with_it AFTER UPDATE OF ended_at ON accounts_membership
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION accounts_webhooks_end();

-- Secrets -------------------------------------------------------------------------------------
CREATE FUNCTION accounts_webhook_secret_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.until > core_now() + interval '24 hours' THEN
            RAISE EXCEPTION 'an old secret counts for a day at most'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_old_secret_counts_for_a_day';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.endpoint_id, NEW.sealed, NEW.hint, NEW.made_at)
       IS DISTINCT FROM (OLD.id, OLD.endpoint_id, OLD.sealed, OLD.hint, OLD.made_at) THEN
        RAISE EXCEPTION 'a secret is rotated, never rewritten'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_webhook_secret_is_what_it_was';
    END IF;
    IF NEW.until IS NULL AND OLD.until IS NOT NULL OR NEW.until > OLD.until
       OR OLD.until IS NULL AND NEW.until > core_now() + interval '24 hours' THEN
        RAISE EXCEPTION 'an old secret counts for a day at most'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_old_secret_counts_for_a_day';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER webhook_secret_law BEFORE INSERT OR UPDATE ON accounts_webhooksecret
    FOR EACH ROW EXECUTE FUNCTION accounts_webhook_secret_law();

-- Deliveries ----------------------------------------------------------------------------------
CREATE FUNCTION accounts_webhook_delivery_begins() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    -- A test is in the hands of who asked for it from the first moment.
    IF NEW.state <> 'waiting' OR NEW.attempts > NEW.is_test::int THEN
        RAISE EXCEPTION 'a delivery begins as waiting'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_delivery_begins_waiting';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER webhook_delivery_begins BEFORE INSERT ON accounts_webhookdelivery
    FOR EACH ROW EXECUTE FUNCTION accounts_webhook_delivery_begins();

CREATE FUNCTION accounts_webhook_delivery_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF (NEW.id, NEW.endpoint_id, NEW.number, NEW.message_id, NEW.event_type, NEW.subject_id,
        NEW.is_test, NEW.body, NEW.made_at)
       IS DISTINCT FROM (OLD.id, OLD.endpoint_id, OLD.number, OLD.message_id, OLD.event_type,
        OLD.subject_id, OLD.is_test, OLD.body, OLD.made_at) THEN
        RAISE EXCEPTION 'what is sent is the same each time'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_delivery_is_what_it_was';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state = 'waiting') = (NEW.state = 'waiting') THEN
        RAISE EXCEPTION 'no move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'webhook_delivery_moves';
    END IF;
    IF NEW.attempts = OLD.attempts THEN
        IF NEW.lease_until > OLD.lease_until OR OLD.lease_until IS NULL AND NEW.lease_until IS NOT NULL
        THEN
            RAISE EXCEPTION 'whoever takes a delivery counts an attempt'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_claim_counts_an_attempt';
        END IF;
        RETURN NEW;
    END IF;
    -- From here on it is a claim.
    IF NEW.attempts <> OLD.attempts + 1 THEN
        RAISE EXCEPTION 'attempts are counted one by one'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_claim_counts_an_attempt';
    END IF;
    IF OLD.state <> 'waiting' OR OLD.lease_until > core_now() THEN
        RAISE EXCEPTION 'somebody has it in hand'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_delivery_is_in_one_hand';
    END IF;
    IF EXISTS (SELECT FROM accounts_webhookdelivery
               WHERE endpoint_id = NEW.endpoint_id AND subject_id = NEW.subject_id
                 AND number < NEW.number AND state = 'waiting') THEN
        RAISE EXCEPTION 'what happened to the same thing before goes first'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'events_of_a_thing_go_in_order';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER webhook_delivery_law BEFORE UPDATE ON accounts_webhookdelivery
    FOR EACH ROW EXECUTE FUNCTION accounts_webhook_delivery_law();

CREATE FUNCTION accounts_webhook_delivery_stays() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    -- The endpoint itself is gone already where this follows from its removal.
    IF (OLD.state = 'waiting' OR OLD.made_at > core_now() - interval '30 days')
       AND EXISTS (SELECT FROM accounts_webhookendpoint WHERE id = OLD.endpoint_id) THEN
        RAISE EXCEPTION 'the log is kept for thirty days'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'webhook_log_stays';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER webhook_delivery_stays BEFORE DELETE ON accounts_webhookdelivery
    FOR EACH ROW EXECUTE FUNCTION accounts_webhook_delivery_stays();

CREATE FUNCTION accounts_webhook_attempt_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'what came of an attempt never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'webhook_attempts_are_history';
    END IF;
    IF EXISTS (SELECT FROM accounts_webhookdelivery WHERE id = OLD.delivery_id) THEN
        RAISE EXCEPTION 'an attempt goes with its delivery'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'webhook_attempts_are_history';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER webhook_attempt_law BEFORE UPDATE OR DELETE ON accounts_webhookattempt
    FOR EACH ROW EXECUTE FUNCTION accounts_webhook_attempt_law();
