-- What Django cannot say about rates.
ALTER TABLE accounts_rate
    ADD CONSTRAINT rate_is_of_its_kind UNIQUE (id, programme_id, kind),
    ADD CONSTRAINT rate_is_of_its_kind_and_currency UNIQUE (id, programme_id, kind, currency);

CREATE FUNCTION accounts_rate_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.published_at <> core_now() THEN
        RAISE EXCEPTION 'a rate is published at the moment it is written'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_rate_is_published_now';
    END IF;
    IF NEW.currency IS DISTINCT FROM
       (SELECT currency FROM accounts_programme WHERE id = NEW.programme_id) THEN
        RAISE EXCEPTION 'a programme pays in its own currency'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_rate_is_in_the_programmes_currency';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rate_begins BEFORE INSERT ON accounts_rate
    FOR EACH ROW EXECUTE FUNCTION accounts_rate_begins();

-- The rate in force at a moment: the one that began to apply last. NULL before the first.
CREATE FUNCTION rate_in_force(in_programme uuid, of_kind text, at_moment timestamptz) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT id FROM accounts_rate
    WHERE programme_id = in_programme AND kind = of_kind AND applies_from <= at_moment
    ORDER BY applies_from DESC LIMIT 1
$$;

-- A session carries the scopes it was begun with and never gains one: everybody signs in again, so
-- that nobody stands before a page that asks for a scope of this version. Nothing queued is lost.
UPDATE accounts_credential
SET state = 'expired', ended_at = core_now(), ended_reason = 'upgraded'
WHERE kind = 'session' AND state IN ('active', 'retiring');
