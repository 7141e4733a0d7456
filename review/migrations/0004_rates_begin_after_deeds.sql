-- What was done keeps the rate of its moment. A publisher's transaction may have begun before a
-- deed that it waited for: its rate begins after that deed. One that was to begin later, and whose
-- moment came meanwhile, is moved as well; its publisher looks and takes it back.
CREATE FUNCTION review_rate_begins_after_what_was_done() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
DECLARE
    last timestamptz;
BEGIN
    SELECT greatest(
        (SELECT max(released_at) FROM review_release
         WHERE programme_id = NEW.programme_id AND NEW.kind = 'release'),
        (SELECT max(filed_at) FROM review_contribution
         WHERE programme_id = NEW.programme_id AND kind = NEW.kind))
    INTO last;
    -- Behind whatever is refused for being in the past already.
    IF last >= NEW.applies_from AND NEW.applies_from >= core_now() THEN
        IF NEW.applies_from = NEW.published_at THEN
            NEW.published_at := last + interval '1 microsecond';
        END IF;
        NEW.applies_from := last + interval '1 microsecond';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rate_begins_after_what_was_done BEFORE INSERT ON accounts_rate
    FOR EACH ROW EXECUTE FUNCTION review_rate_begins_after_what_was_done();
