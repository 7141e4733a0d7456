-- What Django cannot say about programmes, their people, their terms and their post.

-- Times that others rest on are those of the writing, and nothing begins with its end.
CREATE FUNCTION accounts_happens_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) ->> TG_ARGV[0])::timestamptz IS DISTINCT FROM core_now()
       OR to_jsonb(NEW) ->> 'ended_at' IS NOT NULL THEN
        RAISE EXCEPTION '% is the moment of the writing', TG_ARGV[0]
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'it_happens_when_it_is_written';
    END IF;
    RETURN NEW;
END $$;

-- A transaction that keeps an old picture of the tables would not see what ended or began meanwhile.
CREATE FUNCTION accounts_must_see_what_was_committed() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'this is asked of what was committed, not of an earlier picture'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'nothing_is_judged_by_an_old_picture';
    END IF;
END $$;

-- Versions of one thing come one after another and are published when they are written: what was
-- in force at a moment can be told for ever.
CREATE FUNCTION accounts_version_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last bigint;
    its_time timestamptz;
    row jsonb := to_jsonb(NEW);
BEGIN
    IF (row ->> 'published_at')::timestamptz IS DISTINCT FROM core_now() THEN
        RAISE EXCEPTION 'a version is published at the moment it is written'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_version_is_published_now';
    END IF;
    EXECUTE format('SELECT max(number), max(published_at) FROM %I.%I WHERE programme_id = $1%s',
                   TG_TABLE_SCHEMA, TG_TABLE_NAME,
                   CASE WHEN row ? 'purpose' THEN ' AND purpose = $2' ELSE '' END)
        INTO last, its_time USING (row ->> 'programme_id')::uuid, row ->> 'purpose';
    IF (row ->> 'number')::bigint <> coalesce(last, 0) + 1 THEN
        RAISE EXCEPTION 'the next version is number %', coalesce(last, 0) + 1
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'versions_come_one_after_another';
    END IF;
    -- Who began first and waited for the other is no earlier for that.
    NEW.published_at := greatest(NEW.published_at, its_time);
    RETURN NEW;
END $$;
CREATE TRIGGER version_begins BEFORE INSERT ON accounts_particulars
    FOR EACH ROW EXECUTE FUNCTION accounts_version_begins();
CREATE TRIGGER version_begins BEFORE INSERT ON accounts_calendarversion
    FOR EACH ROW EXECUTE FUNCTION accounts_version_begins();
CREATE TRIGGER version_begins BEFORE INSERT ON accounts_retentionversion
    FOR EACH ROW EXECUTE FUNCTION accounts_version_begins();
CREATE TRIGGER version_begins BEFORE INSERT ON accounts_consentversion
    FOR EACH ROW EXECUTE FUNCTION accounts_version_begins();
CREATE TRIGGER version_begins BEFORE INSERT ON accounts_agreementversion
    FOR EACH ROW EXECUTE FUNCTION accounts_version_begins();

-- Programmes ----------------------------------------------------------------------------------
-- What a programme called itself before it kept versions is its first one.
INSERT INTO accounts_particulars
    (id, programme_id, number, name, time_zone, languages, contact, credits_per_tester,
     submissions_per_day, cases_per_hour, published_at)
SELECT core_new_id(), id, 1, name, time_zone, ARRAY['en'], '', 0, 20, 6, core_now()
FROM accounts_programme;
UPDATE accounts_programme SET opened_at = made_at WHERE is_open;

-- A zone that PostgreSQL does not know would stop every question about today.
CREATE FUNCTION accounts_is_a_time_zone(wanted text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    PERFORM '2000-01-01T00:00:00Z'::timestamptz AT TIME ZONE wanted;
    RETURN true;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN false;
END $$;
ALTER TABLE accounts_particulars
    ADD CONSTRAINT particulars_name_a_time_zone CHECK (accounts_is_a_time_zone(time_zone)),
    ADD CONSTRAINT particulars_name_a_language
        CHECK (cardinality(languages) > 0 AND array_position(languages, NULL) IS NULL);

CREATE FUNCTION accounts_particulars_apply() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts_programme SET name = NEW.name, time_zone = NEW.time_zone
    WHERE id = NEW.programme_id;
    RETURN NULL;
END $$;
CREATE TRIGGER particulars_apply AFTER INSERT ON accounts_particulars
    FOR EACH ROW EXECUTE FUNCTION accounts_particulars_apply();

CREATE FUNCTION accounts_programme_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_open OR NEW.opened_at IS NOT NULL THEN
        RAISE EXCEPTION 'a programme begins closed'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_programme_begins_closed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER programme_begins BEFORE INSERT ON accounts_programme
    FOR EACH ROW EXECUTE FUNCTION accounts_programme_begins();

CREATE FUNCTION accounts_programme_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.slug, NEW.currency, NEW.is_demonstration, NEW.made_at)
       IS DISTINCT FROM (OLD.id, OLD.slug, OLD.currency, OLD.is_demonstration, OLD.made_at) THEN
        RAISE EXCEPTION 'what a programme is never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'programme_is_what_it_was';
    END IF;
    IF (NEW.name, NEW.time_zone) IS DISTINCT FROM (OLD.name, OLD.time_zone) AND NOT EXISTS (
        SELECT FROM accounts_particulars p
        WHERE p.programme_id = NEW.id AND p.name = NEW.name AND p.time_zone = NEW.time_zone
          AND p.number = (SELECT max(number) FROM accounts_particulars WHERE programme_id = NEW.id)
    ) THEN
        RAISE EXCEPTION 'a programme is called what its particulars say'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'programme_says_its_particulars';
    END IF;
    IF NEW.is_open AND NEW.opened_at IS NULL
       OR NEW.opened_at IS DISTINCT FROM OLD.opened_at AND (
           OLD.opened_at IS NOT NULL OR NOT NEW.is_open
           OR NEW.opened_at IS DISTINCT FROM core_now()) THEN
        RAISE EXCEPTION 'a programme is first opened once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_programme_is_first_opened_once';
    END IF;
    IF NEW.is_open AND NOT OLD.is_open AND NOT (
        EXISTS (SELECT FROM accounts_agreementversion WHERE programme_id = NEW.id)
        AND EXISTS (SELECT FROM accounts_particulars WHERE programme_id = NEW.id)
        AND EXISTS (SELECT FROM accounts_budget WHERE programme_id = NEW.id AND party_id IS NULL
                    AND kind = 'credits')
    ) THEN
        RAISE EXCEPTION 'a programme opens with particulars, an agreement and credits'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_programme_opens_with_its_terms';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER programme_law BEFORE UPDATE ON accounts_programme
    FOR EACH ROW EXECUTE FUNCTION accounts_programme_law();

-- Whether testers may begin new work now: it is open, and today is one of its days.
CREATE FUNCTION programme_is_working(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT p.is_open AND coalesce(
        (SELECT (v.opens_on IS NULL OR v.opens_on <= today.day)
            AND (v.closes_on IS NULL OR today.day <= v.closes_on)
         FROM accounts_particulars v,
              LATERAL (SELECT (core_now() AT TIME ZONE v.time_zone)::date AS day) today
         WHERE v.programme_id = p.id ORDER BY v.number DESC LIMIT 1), true)
    FROM accounts_programme p WHERE p.id = wanted
$$;

CREATE FUNCTION accounts_is_a_week(week text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT cardinality(week) = 7 AND bool_and(
        day IS NOT NULL AND (day = '' OR (
            day ~ '^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'
            AND left(day, 5) < right(day, 5))))
    FROM unnest(week) AS day
$$;
ALTER TABLE accounts_calendarversion ADD CONSTRAINT a_calendar_has_seven_days
    CHECK (accounts_is_a_week(week::text[]) AND array_position(holidays, NULL) IS NULL);

-- Roles ---------------------------------------------------------------------------------------
ALTER TABLE accounts_membership ADD CONSTRAINT membership_belongs_to_its_programme
    UNIQUE (id, programme_id);

-- Whether this party holds one of these roles in this programme now. Every law asks here.
CREATE FUNCTION accounts_holds(in_programme uuid, who uuid, roles text[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM accounts_membership m JOIN accounts_rolegrant g ON g.membership_id = m.id
        WHERE m.programme_id = in_programme AND m.party_id = who AND m.ended_at IS NULL
          AND g.role = ANY (roles) AND g.ended_at IS NULL
          AND (g.expires_at IS NULL OR g.expires_at > core_now()))
$$;

-- Two grants to one party at once must not both find that the other is not there.
CREATE FUNCTION accounts_one_at_a_time(party uuid) RETURNS void LANGUAGE sql AS $$
    SELECT pg_advisory_xact_lock(hashtextextended('roles of ' || party, 0))
$$;

CREATE FUNCTION accounts_rolegrant_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    holder uuid;
    in_programme uuid;
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    -- The row is held, so that it does not end while the role is granted.
    SELECT party_id, programme_id INTO holder, in_programme FROM accounts_membership
    WHERE id = NEW.membership_id AND ended_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a role is held by a member'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_role_is_held_by_a_member';
    END IF;
    IF NEW.granted_by_id = holder THEN
        RAISE EXCEPTION 'nobody grants themselves a role'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'nobody_grants_themselves_a_role';
    END IF;
    -- Also where it was promised earlier: what a manager offered ends with what made them one.
    IF NEW.granted_by_id IS NOT NULL
       AND NOT accounts_holds(in_programme, NEW.granted_by_id, ARRAY['manager'])
       AND NOT EXISTS (SELECT FROM accounts_administrator
                       WHERE party_id = NEW.granted_by_id AND ended_at IS NULL) THEN
        RAISE EXCEPTION 'managers and administrators grant roles'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_role_is_granted_by_who_may';
    END IF;
    PERFORM accounts_one_at_a_time(holder);
    -- Who proposes payouts does not approve them, and who looks at everything does nothing else.
    IF NEW.role = 'finance' AND accounts_holds(in_programme, holder, ARRAY['manager', 'auditor'])
       OR NEW.role = 'manager' AND accounts_holds(in_programme, holder, ARRAY['finance', 'auditor'])
       OR NEW.role = 'auditor' AND accounts_holds(in_programme, holder,
              ARRAY['tester', 'reviewer', 'manager', 'finance'])
       OR NEW.role IN ('tester', 'reviewer') AND accounts_holds(in_programme, holder, ARRAY['auditor'])
       OR NEW.role IN ('finance', 'auditor') AND EXISTS (
              SELECT FROM accounts_administrator WHERE party_id = holder AND ended_at IS NULL) THEN
        RAISE EXCEPTION 'these two roles are never in one hand'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'duties_are_separate';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rolegrant_begins BEFORE INSERT ON accounts_rolegrant
    FOR EACH ROW EXECUTE FUNCTION accounts_rolegrant_begins();
CREATE TRIGGER happens_now BEFORE INSERT ON accounts_rolegrant
    FOR EACH ROW EXECUTE FUNCTION accounts_happens_now('granted_at');
CREATE TRIGGER happens_now BEFORE INSERT ON accounts_membership
    FOR EACH ROW EXECUTE FUNCTION accounts_happens_now('joined_at');

CREATE FUNCTION accounts_administrator_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    PERFORM accounts_one_at_a_time(NEW.party_id);
    IF EXISTS (
        SELECT FROM accounts_membership m JOIN accounts_rolegrant g ON g.membership_id = m.id
        WHERE m.party_id = NEW.party_id AND m.ended_at IS NULL
          AND g.role IN ('finance', 'auditor') AND g.ended_at IS NULL
          AND (g.expires_at IS NULL OR g.expires_at > core_now())
    ) THEN
        RAISE EXCEPTION 'an administrator neither pays nor audits'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'duties_are_separate';
    END IF;
    PERFORM FROM accounts_administrator
    WHERE party_id = NEW.granted_by_id AND ended_at IS NULL FOR SHARE;
    IF NOT FOUND AND NEW.granted_by_id IS NOT NULL THEN
        RAISE EXCEPTION 'an administrator is made by one'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_administrator_is_made_by_one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER administrator_begins BEFORE INSERT ON accounts_administrator
    FOR EACH ROW EXECUTE FUNCTION accounts_administrator_begins();
CREATE TRIGGER happens_now BEFORE INSERT ON accounts_administrator
    FOR EACH ROW EXECUTE FUNCTION accounts_happens_now('granted_at');

-- A row that says from when to when something held: only its end is ever written, once, when it
-- comes.
CREATE FUNCTION accounts_ends_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL
       OR to_jsonb(NEW) - 'ended_at' IS DISTINCT FROM to_jsonb(OLD) - 'ended_at' THEN
        RAISE EXCEPTION 'only the end is written, and once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'it_ends_once';
    END IF;
    IF NEW.ended_at <> core_now() THEN
        RAISE EXCEPTION 'an end is the moment of the writing'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'it_happens_when_it_is_written';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ends_once BEFORE UPDATE ON accounts_membership
    FOR EACH ROW EXECUTE FUNCTION accounts_ends_once();
CREATE TRIGGER ends_once BEFORE UPDATE ON accounts_rolegrant
    FOR EACH ROW EXECUTE FUNCTION accounts_ends_once();
CREATE TRIGGER ends_once BEFORE UPDATE ON accounts_administrator
    FOR EACH ROW EXECUTE FUNCTION accounts_ends_once();
CREATE TRIGGER ends_once BEFORE UPDATE ON accounts_cohort
    FOR EACH ROW EXECUTE FUNCTION accounts_ends_once();
CREATE TRIGGER ends_once BEFORE UPDATE ON accounts_cohortseat
    FOR EACH ROW EXECUTE FUNCTION accounts_ends_once();

-- Whoever leaves a programme takes nothing along into a later membership: PyPI learnt it in 2025.
CREATE FUNCTION accounts_membership_ends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    UPDATE accounts_rolegrant SET ended_at = NEW.ended_at
    WHERE membership_id = NEW.id AND ended_at IS NULL;
    UPDATE accounts_cohortseat SET ended_at = NEW.ended_at
    WHERE membership_id = NEW.id AND ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER membership_ends AFTER UPDATE OF ended_at ON accounts_membership
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION accounts_membership_ends();

-- Cohorts -------------------------------------------------------------------------------------
ALTER TABLE accounts_cohort ADD CONSTRAINT cohort_belongs_to_its_programme UNIQUE (id, programme_id);
ALTER TABLE accounts_cohortseat
    ADD CONSTRAINT a_seat_is_in_a_cohort_of_its_programme FOREIGN KEY (cohort_id, programme_id)
        REFERENCES accounts_cohort (id, programme_id),
    ADD CONSTRAINT a_seat_is_a_members_of_its_programme FOREIGN KEY (membership_id, programme_id)
        REFERENCES accounts_membership (id, programme_id);
ALTER TABLE accounts_invitation
    ADD CONSTRAINT invited_to_a_cohort_of_its_programme FOREIGN KEY (cohort_id, programme_id)
        REFERENCES accounts_cohort (id, programme_id);
ALTER TABLE accounts_announcement
    ADD CONSTRAINT announced_to_a_cohort_of_its_programme FOREIGN KEY (cohort_id, programme_id)
        REFERENCES accounts_cohort (id, programme_id);

CREATE FUNCTION accounts_cohortseat_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    -- The rows are held, so that neither ends while the seat is taken.
    PERFORM FROM accounts_cohort WHERE id = NEW.cohort_id AND ended_at IS NULL FOR SHARE;
    IF FOUND THEN
        PERFORM FROM accounts_membership WHERE id = NEW.membership_id AND ended_at IS NULL FOR SHARE;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a seat is a member''s, in a cohort that is there'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_seat_is_a_members';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cohortseat_begins BEFORE INSERT ON accounts_cohortseat
    FOR EACH ROW EXECUTE FUNCTION accounts_cohortseat_begins();
CREATE TRIGGER happens_now BEFORE INSERT ON accounts_cohortseat
    FOR EACH ROW EXECUTE FUNCTION accounts_happens_now('joined_at');
CREATE TRIGGER happens_now BEFORE INSERT ON accounts_cohort
    FOR EACH ROW EXECUTE FUNCTION accounts_happens_now('made_at');

-- Invitations ---------------------------------------------------------------------------------
CREATE OR REPLACE FUNCTION accounts_invitation_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.programme_id, NEW.cohort_id, NEW.role, NEW.language, NEW.made_by_id,
        NEW.made_at)
       IS DISTINCT FROM (OLD.id, OLD.programme_id, OLD.cohort_id, OLD.role, OLD.language,
        OLD.made_by_id, OLD.made_at) THEN
        RAISE EXCEPTION 'what was offered never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'invitation_is_what_it_was';
    END IF;
    IF OLD.ended_at IS NOT NULL THEN
        RAISE EXCEPTION 'an invitation ends once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'invitation_ends_once';
    END IF;
    -- Sent again, it is another link with a number of its own; the one before opens no more.
    IF NEW.ended_at IS NULL AND (NEW.number <> OLD.number + 1 OR NEW.digest = OLD.digest
       OR NEW.email <> OLD.email OR NEW.expires_at < OLD.expires_at) THEN
        RAISE EXCEPTION 'an invitation is sent again with a link of its own'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'invitation_is_sent_anew';
    END IF;
    IF NEW.ended_at IS NOT NULL AND (NEW.number, NEW.digest, NEW.pepper_id, NEW.expires_at)
       IS DISTINCT FROM (OLD.number, OLD.digest, OLD.pepper_id, OLD.expires_at) THEN
        RAISE EXCEPTION 'what was offered never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'invitation_is_what_it_was';
    END IF;
    RETURN NEW;
END $$;

-- Agreements and consents -----------------------------------------------------------------------
CREATE FUNCTION accounts_acceptance_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.at IS DISTINCT FROM core_now() THEN
        RAISE EXCEPTION 'an answer is given at the moment it is written'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'it_happens_when_it_is_written';
    END IF;
    -- Without a credential it was written at the machine, for somebody who answered elsewhere.
    IF NEW.credential_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM accounts_agreementview
        WHERE version_id = NEW.version_id AND party_id = NEW.party_id AND at <= NEW.at
    ) THEN
        RAISE EXCEPTION 'a version is looked at before it is answered'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_answer_follows_a_look';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER acceptance_begins BEFORE INSERT ON accounts_acceptance
    FOR EACH ROW EXECUTE FUNCTION accounts_acceptance_begins();
CREATE TRIGGER happens_now BEFORE INSERT ON accounts_agreementview
    FOR EACH ROW EXECUTE FUNCTION accounts_happens_now('at');
ALTER TABLE accounts_acceptance ADD CONSTRAINT acceptance_credential_is_its_partys
    FOREIGN KEY (credential_id, party_id) REFERENCES accounts_credential (id, party_id);

ALTER TABLE accounts_consentversion ADD CONSTRAINT consent_is_of_its_purpose
    UNIQUE (id, programme_id, purpose);
ALTER TABLE accounts_consentact
    ADD CONSTRAINT a_consent_act_names_what_was_read
        FOREIGN KEY (version_id, programme_id, purpose)
        REFERENCES accounts_consentversion (id, programme_id, purpose),
    ADD CONSTRAINT consent_credential_is_its_partys
        FOREIGN KEY (credential_id, party_id) REFERENCES accounts_credential (id, party_id);

CREATE FUNCTION accounts_consent_act_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.at IS DISTINCT FROM core_now() THEN
        RAISE EXCEPTION 'a consent is given at the moment it is written'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'it_happens_when_it_is_written';
    END IF;
    -- Taking back is open to everybody who ever could grant, also after they left.
    IF NEW.deed = 'granted' AND NOT (
        EXISTS (SELECT FROM accounts_membership
                WHERE programme_id = NEW.programme_id AND party_id = NEW.party_id
                  AND ended_at IS NULL)
        AND EXISTS (SELECT FROM accounts_consentversion v
                    WHERE v.id = NEW.version_id AND v.is_asked AND v.number = (
                        SELECT max(number) FROM accounts_consentversion
                        WHERE programme_id = v.programme_id AND purpose = v.purpose))
    ) THEN
        RAISE EXCEPTION 'a member grants what is asked for now'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_member_grants_what_is_asked';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_act_begins BEFORE INSERT ON accounts_consentact
    FOR EACH ROW EXECUTE FUNCTION accounts_consent_act_begins();

-- Whether this party consents now: what was last said of this clip, else of the programme, else no.
CREATE FUNCTION consent_given(in_programme uuid, of_party uuid, for_purpose text, of_clip uuid)
RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        (SELECT deed = 'granted' FROM accounts_consentact
         WHERE programme_id = in_programme AND party_id = of_party AND purpose = for_purpose
           AND (clip_id = of_clip OR clip_id IS NULL)
         ORDER BY clip_id IS NULL, at DESC, id DESC LIMIT 1),
        false)
$$;

-- Post ----------------------------------------------------------------------------------------
CREATE FUNCTION accounts_mail_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'waiting' THEN
            RAISE EXCEPTION 'a mail begins as waiting'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_mail_begins_waiting';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.kind, NEW.party_id, NEW.invitation_id, NEW.invitation_number, NEW.digest_day,
        NEW.made_at)
       IS DISTINCT FROM (OLD.id, OLD.kind, OLD.party_id, OLD.invitation_id, OLD.invitation_number,
        OLD.digest_day, OLD.made_at) THEN
        RAISE EXCEPTION 'whose mail it is and about what never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_mail_is_what_it_was';
    END IF;
    -- A server that took it may still report later that it could not deliver; else it is history.
    IF OLD.state <> 'waiting' AND (OLD.state, NEW.state) <> ('sent', 'bounced') THEN
        RAISE EXCEPTION 'no move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'mail_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mail_law BEFORE INSERT OR UPDATE ON accounts_mail
    FOR EACH ROW EXECUTE FUNCTION accounts_mail_law();

-- A notice goes out with one mail, of its own reader, that has not gone yet.
CREATE FUNCTION accounts_notice_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.mail_id IS NULL OR TG_OP = 'UPDATE'
       AND (NEW.mail_id, NEW.party_id) IS NOT DISTINCT FROM (OLD.mail_id, OLD.party_id) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.mail_id IS NOT NULL OR NOT EXISTS (
        SELECT FROM accounts_mail
        WHERE id = NEW.mail_id AND party_id = NEW.party_id AND state = 'waiting') THEN
        RAISE EXCEPTION 'a notice goes out once, to its own reader'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_notice_goes_out_once';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notice_law BEFORE INSERT OR UPDATE OF mail_id, party_id ON accounts_notice
    FOR EACH ROW EXECUTE FUNCTION accounts_notice_law();

CREATE FUNCTION accounts_announcement_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT accounts_holds(NEW.programme_id, NEW.made_by_id, ARRAY['manager'])
       AND NOT EXISTS (SELECT FROM accounts_administrator
                       WHERE party_id = NEW.made_by_id AND ended_at IS NULL) THEN
        RAISE EXCEPTION 'managers and administrators announce'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'staff_announces';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER announcement_begins BEFORE INSERT ON accounts_announcement
    FOR EACH ROW EXECUTE FUNCTION accounts_announcement_begins();
CREATE TRIGGER happens_now BEFORE INSERT ON accounts_announcement
    FOR EACH ROW EXECUTE FUNCTION accounts_happens_now('made_at');

-- Somebody who was once a member may still talk about what they made.
CREATE FUNCTION accounts_conversation_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM accounts_membership
                   WHERE programme_id = NEW.programme_id AND party_id = NEW.party_id) THEN
        RAISE EXCEPTION 'a conversation is somebody''s who is or was a member'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_conversation_is_a_members';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conversation_begins BEFORE INSERT ON accounts_conversation
    FOR EACH ROW EXECUTE FUNCTION accounts_conversation_begins();
CREATE TRIGGER happens_now BEFORE INSERT ON accounts_conversation
    FOR EACH ROW EXECUTE FUNCTION accounts_happens_now('opened_at');

CREATE FUNCTION accounts_remark_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.at IS DISTINCT FROM core_now() THEN
        RAISE EXCEPTION 'a remark is written now'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'it_happens_when_it_is_written';
    END IF;
    IF NOT EXISTS (
        SELECT FROM accounts_conversation c WHERE c.id = NEW.conversation_id AND CASE NEW.role
            WHEN 'member' THEN c.party_id = NEW.author_id
            ELSE c.party_id <> NEW.author_id
                 AND accounts_holds(c.programme_id, NEW.author_id, ARRAY['manager']) END
    ) THEN
        RAISE EXCEPTION 'a conversation is its member''s and the managers'''
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'only_its_people_talk';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER remark_begins BEFORE INSERT ON accounts_remark
    FOR EACH ROW EXECUTE FUNCTION accounts_remark_begins();

-- Taking along and leaving ------------------------------------------------------------------------
CREATE FUNCTION accounts_export_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'asked' THEN
            RAISE EXCEPTION 'an export begins as asked for'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_export_begins_asked';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.party_id, NEW.asked_at) IS DISTINCT FROM (OLD.id, OLD.party_id, OLD.asked_at)
       OR OLD.ready_at IS NOT NULL
          AND (NEW.ready_at, NEW.expires_at, NEW.bytes, NEW.sha256, NEW.storage_key)
              IS DISTINCT FROM
              (OLD.ready_at, OLD.expires_at, OLD.bytes, OLD.sha256, OLD.storage_key) THEN
        RAISE EXCEPTION 'whose export it is and which file never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_export_is_what_it_was';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
        ('asked', 'ready'), ('asked', 'failed'), ('ready', 'ended')) THEN
        RAISE EXCEPTION 'no move from % to %', OLD.state, NEW.state
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'export_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER export_law BEFORE INSERT OR UPDATE ON accounts_export
    FOR EACH ROW EXECUTE FUNCTION accounts_export_law();
-- Nobody is handed another's archive.
CREATE UNIQUE INDEX an_archive_is_one_export ON accounts_export (storage_key)
    WHERE storage_key <> '';

CREATE FUNCTION accounts_erasure_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.done_at IS NOT NULL OR NEW.asked_at IS DISTINCT FROM core_now() THEN
            RAISE EXCEPTION 'an erasure is asked for before it is done'
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_erasure_is_asked_first';
        END IF;
        RETURN NEW;
    END IF;
    IF OLD.done_at IS NOT NULL
       OR (NEW.id, NEW.party_id, NEW.digest, NEW.asked_at)
          IS DISTINCT FROM (OLD.id, OLD.party_id, OLD.digest, OLD.asked_at) THEN
        RAISE EXCEPTION 'an erasure is done once'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_erasure_is_done_once';
    END IF;
    IF NEW.done_at IS NOT NULL
       AND EXISTS (SELECT FROM accounts_person WHERE party_id = NEW.party_id) THEN
        RAISE EXCEPTION 'an erasure that is done leaves no person'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_erasure_leaves_no_person';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER erasure_law BEFORE INSERT OR UPDATE ON accounts_erasure
    FOR EACH ROW EXECUTE FUNCTION accounts_erasure_law();

-- Asked after the row is in: one that took the place of an erased person waited for that end.
CREATE FUNCTION accounts_person_is_new() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    IF EXISTS (SELECT FROM accounts_erasure
               WHERE party_id = NEW.party_id AND done_at IS NOT NULL) THEN
        RAISE EXCEPTION 'who was erased does not come back under the same number'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_erased_party_is_nobody';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER person_is_new AFTER INSERT OR UPDATE OF party_id ON accounts_person
    FOR EACH ROW EXECUTE FUNCTION accounts_person_is_new();

-- Signing in ------------------------------------------------------------------------------------
-- A grant whose time is up gives nothing from that moment on; an administrator is one wherever.
CREATE OR REPLACE FUNCTION credential_by_key(key text)
RETURNS TABLE (credential_id uuid, kind text, key_id text, lineage_id uuid, party_id uuid,
               programme_id uuid, digest bytea, pepper_id text, state text,
               expires_at timestamptz, scopes text[], roles text[], is_live boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c.id, c.kind::text, c.key_id::text, c.lineage_id, c.party_id, c.programme_id, c.digest,
           c.pepper_id::text, c.state::text, c.expires_at, c.scopes::text[],
           ARRAY(SELECT g.role::text FROM accounts_rolegrant g
                 WHERE g.membership_id = m.id AND g.ended_at IS NULL
                   AND (g.expires_at IS NULL OR g.expires_at > core_now())
                 UNION ALL
                 SELECT 'administrator' FROM accounts_administrator a
                 WHERE a.party_id = c.party_id AND a.ended_at IS NULL
                 ORDER BY 1),
           c.state IN ('active', 'retiring') AND c.expires_at > core_now()
               AND p.is_active AND m.id IS NOT NULL
    FROM accounts_credential c
    JOIN accounts_person p ON p.party_id = c.party_id
    LEFT JOIN accounts_membership m ON m.programme_id = c.programme_id
        AND m.party_id = c.party_id AND m.ended_at IS NULL
    WHERE c.key_id = key AND c.kind = 'token'
$$;

CREATE OR REPLACE FUNCTION credential_by_session(session_digest text)
RETURNS TABLE (credential_id uuid, kind text, key_id text, lineage_id uuid, party_id uuid,
               programme_id uuid, digest bytea, pepper_id text, state text,
               expires_at timestamptz, scopes text[], roles text[], is_live boolean)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c.id, c.kind::text, c.key_id::text, c.lineage_id, c.party_id, c.programme_id, c.digest,
           c.pepper_id::text, c.state::text, c.expires_at, c.scopes::text[],
           ARRAY(SELECT 'administrator' FROM accounts_administrator a
                 WHERE a.party_id = c.party_id AND a.ended_at IS NULL),
           c.state IN ('active', 'retiring') AND c.expires_at > core_now() AND p.is_active
    FROM accounts_portalsession s
    JOIN accounts_credential c ON c.id = s.credential_id
    JOIN accounts_person p ON p.party_id = c.party_id
    WHERE s.session_key = session_digest AND c.kind = 'session'
$$;

-- As with every release that brings scopes: everybody signs in again. Nothing queued is lost.
UPDATE accounts_credential
SET state = 'expired', ended_at = core_now(), ended_reason = 'upgraded'
WHERE kind = 'session' AND state IN ('active', 'retiring');
