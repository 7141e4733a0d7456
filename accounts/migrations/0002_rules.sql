-- What Django cannot say about these tables.

-- Agreements ---------------------------------------------------------------------------------
ALTER TABLE accounts_agreementversion ADD CONSTRAINT agreement_digest_is_of_its_text
    CHECK (text_sha256 = encode(sha256(convert_to(text, 'UTF8')), 'hex'));
ALTER TABLE accounts_acceptance ADD CONSTRAINT acceptance_belongs_to_its_party
    UNIQUE (id, party_id);

-- Credentials --------------------------------------------------------------------------------
ALTER TABLE accounts_credential ADD CONSTRAINT credential_lives_ninety_days_at_most
    CHECK (expires_at <= minted_at + interval '2160 hours');
ALTER TABLE accounts_credential ADD CONSTRAINT credential_key_id_is_twelve_signs
    CHECK (key_id ~ '^[0-9A-Za-z]{12}$');
ALTER TABLE accounts_credential ADD CONSTRAINT credential_belongs_to_its_party
    UNIQUE (id, party_id);

CREATE FUNCTION accounts_credential_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.key_id, NEW.lineage_id, NEW.generation, NEW.party_id,
        NEW.programme_id, NEW.digest, NEW.pepper_id, NEW.minted_at, NEW.minted_auth_method)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.key_id, OLD.lineage_id, OLD.generation, OLD.party_id,
        OLD.programme_id, OLD.digest, OLD.pepper_id, OLD.minted_at, OLD.minted_auth_method) THEN
        RAISE EXCEPTION 'what a credential is never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'credential_is_what_it_was';
    END IF;
    IF NOT NEW.scopes <@ OLD.scopes OR NEW.expires_at > OLD.expires_at THEN
        RAISE EXCEPTION 'a credential only ever narrows'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'credential_only_narrows';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state, NEW.state) IN (
        ('active', 'retiring'), ('active', 'quarantined'), ('active', 'revoked'),
        ('active', 'expired'), ('retiring', 'quarantined'), ('retiring', 'revoked'),
        ('retiring', 'expired'), ('quarantined', 'revoked'), ('quarantined', 'expired')
    ) THEN
        RAISE EXCEPTION 'no move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'credential_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credential_law BEFORE UPDATE ON accounts_credential
    FOR EACH ROW EXECUTE FUNCTION accounts_credential_law();

-- One query authenticates: Django's API, the portal and the raw routes all ask these two. An
-- answer that is not live still comes back, so that a log can say which key was tried.
CREATE FUNCTION credential_by_key(key text)
RETURNS TABLE (credential_id uuid, kind text, key_id text, lineage_id uuid, party_id uuid,
               programme_id uuid, digest bytea, pepper_id text, state text,
               expires_at timestamptz, scopes text[], roles text[], is_live boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c.id, c.kind::text, c.key_id::text, c.lineage_id, c.party_id, c.programme_id, c.digest,
           c.pepper_id::text, c.state::text, c.expires_at, c.scopes::text[],
           ARRAY(SELECT g.role::text FROM accounts_rolegrant g
                 WHERE g.membership_id = m.id AND g.ended_at IS NULL ORDER BY 1),
           c.state IN ('active', 'retiring') AND c.expires_at > core_now()
               AND p.is_active AND m.id IS NOT NULL
    FROM accounts_credential c
    JOIN accounts_person p ON p.party_id = c.party_id
    LEFT JOIN accounts_membership m ON m.programme_id = c.programme_id
        AND m.party_id = c.party_id AND m.ended_at IS NULL
    WHERE c.key_id = key AND c.kind = 'token'
$$;

CREATE FUNCTION credential_by_session(session_digest text)
RETURNS TABLE (credential_id uuid, kind text, key_id text, lineage_id uuid, party_id uuid,
               programme_id uuid, digest bytea, pepper_id text, state text,
               expires_at timestamptz, scopes text[], roles text[], is_live boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c.id, c.kind::text, c.key_id::text, c.lineage_id, c.party_id, c.programme_id, c.digest,
           c.pepper_id::text, c.state::text, c.expires_at, c.scopes::text[],
           ARRAY[]::text[],
           c.state IN ('active', 'retiring') AND c.expires_at > core_now() AND p.is_active
    FROM accounts_portalsession s
    JOIN accounts_credential c ON c.id = s.credential_id
    JOIN accounts_person p ON p.party_id = c.party_id
    WHERE s.session_key = session_digest AND c.kind = 'session'
$$;

-- Quotas -------------------------------------------------------------------------------------
CREATE FUNCTION accounts_budget_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.programme_id, NEW.party_id, NEW.lineage_id, NEW.kind)
       IS DISTINCT FROM (OLD.id, OLD.programme_id, OLD.party_id, OLD.lineage_id, OLD.kind) THEN
        RAISE EXCEPTION 'whose budget it is never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'budget_stays_in_its_place';
    END IF;
    RETURN NEW;
END $$;
-- Of these columns only: the sums change with every reservation, and nothing above is about them.
CREATE TRIGGER budget_law
    BEFORE UPDATE OF id, programme_id, party_id, lineage_id, kind ON accounts_budget
    FOR EACH ROW EXECUTE FUNCTION accounts_budget_law();

ALTER TABLE accounts_reservation ADD CONSTRAINT reservation_belongs_to_its_work
    UNIQUE (id, work_id);
CREATE FUNCTION accounts_reservation_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.work_id, NEW.programme_id, NEW.party_id, NEW.kind, NEW.amount, NEW.path,
        NEW.made_at)
       IS DISTINCT FROM (OLD.id, OLD.work_id, OLD.programme_id, OLD.party_id, OLD.kind,
        OLD.amount, OLD.path, OLD.made_at) THEN
        RAISE EXCEPTION 'what was reserved never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'reservation_is_what_it_was';
    END IF;
    IF OLD.state <> 'held' THEN
        RAISE EXCEPTION 'a reservation ends once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'reservation_ends_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER reservation_law BEFORE UPDATE ON accounts_reservation
    FOR EACH ROW EXECUTE FUNCTION accounts_reservation_law();

-- Hold amounts for one piece of work in every budget on its path, or in none. Rows are locked
-- leaf first and the programme last, in the same order by everybody; a party without a budget of
-- its own has nothing. No row comes back when all was held; else the budget that refused.
CREATE FUNCTION quota_reserve(
    work uuid, for_programme uuid, for_party uuid, for_lineage uuid,
    reservations uuid[], kinds text[], amounts bigint[])
RETURNS TABLE (refused_kind text, refused_level text, refused_amount bigint, left_over bigint)
LANGUAGE plpgsql AS $$
DECLARE
    places uuid[];
    place_kinds text[];
    place_amounts bigint[];
    place_levels text[];
    refused int;
BEGIN
    SELECT array_agg(b.id ORDER BY b.rank, b.kind), array_agg(b.kind ORDER BY b.rank, b.kind),
           array_agg(b.amount ORDER BY b.rank, b.kind),
           array_agg((ARRAY['lineage', 'party', 'programme'])[b.rank] ORDER BY b.rank, b.kind)
    INTO places, place_kinds, place_amounts, place_levels
    FROM (
        SELECT b.id, w.kind, w.amount,
               CASE WHEN b.lineage_id IS NOT NULL THEN 1 WHEN b.party_id IS NOT NULL THEN 2
                    ELSE 3 END AS rank
        FROM unnest(kinds, amounts) AS w (kind, amount)
        JOIN accounts_budget b ON b.kind = w.kind AND b.programme_id = for_programme
            AND (b.party_id IS NULL OR b.party_id = for_party)
            AND (b.lineage_id IS NULL OR b.lineage_id = for_lineage)
    ) AS b;
    FOR refused IN 1 .. cardinality(kinds) LOOP
        IF NOT (SELECT count(*) FILTER (WHERE p.level <> 'lineage') = 2
                FROM unnest(place_kinds, place_levels) AS p (kind, level)
                WHERE p.kind = kinds[refused]) THEN
            RETURN QUERY SELECT kinds[refused], 'party'::text, amounts[refused], 0::bigint;
            RETURN;
        END IF;
    END LOOP;

    BEGIN
        -- Before the budgets, so that their rows, which others wait for, are locked for less long.
        INSERT INTO accounts_reservation
            (id, work_id, programme_id, party_id, kind, amount, state, path, made_at)
        SELECT w.id, work, for_programme, for_party, w.kind, w.amount, 'held',
               ARRAY(SELECT p.id FROM unnest(places, place_kinds) WITH ORDINALITY
                         AS p (id, kind, number)
                     WHERE p.kind = w.kind ORDER BY p.number),
               core_now()
        FROM unnest(reservations, kinds, amounts) AS w (id, kind, amount);
        FOR step IN 1 .. cardinality(places) LOOP
            UPDATE accounts_budget SET reserved = reserved + place_amounts[step]
            WHERE id = places[step] AND reserved + spent + place_amounts[step] <= "limit";
            IF NOT FOUND THEN
                refused := step;
                RAISE EXCEPTION 'refused' USING ERRCODE = 'GR001';
            END IF;
        END LOOP;
    EXCEPTION WHEN SQLSTATE 'GR001' THEN
        -- The inner block is undone: nothing of what earlier rows took remains.
        RETURN QUERY
            SELECT place_kinds[refused], place_levels[refused], place_amounts[refused],
                   greatest(b."limit" - b.reserved - b.spent, 0)
            FROM accounts_budget b WHERE b.id = places[refused];
    END;
END $$;

-- End a reservation once: charge a part (or nothing), give back the rest, along the same path.
-- False when it had ended before.
CREATE FUNCTION quota_settle(work uuid, of_kind text, charge bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    ended accounts_reservation%ROWTYPE;
    place uuid;
BEGIN
    UPDATE accounts_reservation
    SET state = CASE WHEN charge > 0 THEN 'settled' ELSE 'released' END,
        settled = charge, ended_at = core_now()
    WHERE work_id = work AND kind = of_kind AND state = 'held'
    RETURNING * INTO ended;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    FOREACH place IN ARRAY ended.path LOOP
        UPDATE accounts_budget SET reserved = reserved - ended.amount, spent = spent + charge
        WHERE id = place;
    END LOOP;
    RETURN true;
END $$;
