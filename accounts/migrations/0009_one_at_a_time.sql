-- Rates -----------------------------------------------------------------------------------------
-- Those that are there are numbered in the order they were published in. Nothing else of them moves.
ALTER TABLE accounts_rate DISABLE TRIGGER accounts_rate_is_append_only;
UPDATE accounts_rate r SET number = n.number
FROM (SELECT id, row_number() OVER (
          PARTITION BY programme_id, kind ORDER BY published_at, applies_from, id) AS number
      FROM accounts_rate) n
WHERE n.id = r.id;
ALTER TABLE accounts_rate ENABLE TRIGGER accounts_rate_is_append_only;

CREATE OR REPLACE FUNCTION accounts_rate_begins() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    last bigint;
    its_time timestamptz;
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
    PERFORM accounts_must_see_what_was_committed();
    -- Nobody earns meanwhile; see accounts.rates.commands.
    PERFORM pg_advisory_xact_lock(hashtextextended('rates:' || NEW.programme_id, 0));
    SELECT max(number), max(published_at) INTO last, its_time
    FROM accounts_rate WHERE programme_id = NEW.programme_id AND kind = NEW.kind;
    IF NEW.number <> coalesce(last, 0) + 1 THEN
        RAISE EXCEPTION 'the next version is number %', coalesce(last, 0) + 1
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'versions_come_one_after_another';
    END IF;
    -- Who began first and waited for the other is no earlier for that, and what they publish for
    -- now is what applies from now on.
    IF its_time >= NEW.published_at AND NEW.applies_from = NEW.published_at THEN
        NEW.published_at := its_time + interval '1 microsecond';
        NEW.applies_from := NEW.published_at;
    END IF;
    NEW.published_at := greatest(NEW.published_at, its_time);
    RETURN NEW;
END $$;

-- Cohorts -------------------------------------------------------------------------------------
-- Nobody sits in what is over.
UPDATE accounts_cohortseat SET ended_at = core_now()
WHERE ended_at IS NULL
  AND cohort_id IN (SELECT id FROM accounts_cohort WHERE ended_at IS NOT NULL);

CREATE FUNCTION accounts_cohort_ends() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM accounts_must_see_what_was_committed();
    UPDATE accounts_cohortseat SET ended_at = NEW.ended_at
    WHERE cohort_id = NEW.id AND ended_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER cohort_ends AFTER UPDATE OF ended_at ON accounts_cohort
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION accounts_cohort_ends();

-- Invitations ---------------------------------------------------------------------------------
-- What is open was sent when it was made, as far as anybody can tell.
ALTER TABLE accounts_invitation DISABLE TRIGGER invitation_law;
UPDATE accounts_invitation SET sent_at = made_at;
ALTER TABLE accounts_invitation ENABLE TRIGGER invitation_law;

CREATE OR REPLACE FUNCTION accounts_invitation_law() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
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
       OR NEW.email <> OLD.email OR NEW.expires_at < OLD.expires_at
       OR NEW.sent_at IS DISTINCT FROM core_now()) THEN
        RAISE EXCEPTION 'an invitation is sent again with a link of its own'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'invitation_is_sent_anew';
    END IF;
    -- Who began first and waited for the other comes too soon as well.
    IF NEW.ended_at IS NULL AND OLD.sent_at > core_now() - interval '5 minutes' THEN
        RAISE EXCEPTION 'an invitation was sent a moment ago'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_invitation_is_not_hammered';
    END IF;
    IF NEW.ended_at IS NOT NULL AND (NEW.number, NEW.digest, NEW.pepper_id, NEW.sent_at,
        NEW.expires_at)
       IS DISTINCT FROM (OLD.number, OLD.digest, OLD.pepper_id, OLD.sent_at, OLD.expires_at) THEN
        RAISE EXCEPTION 'what was offered never changes'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'invitation_is_what_it_was';
    END IF;
    RETURN NEW;
END $$;
