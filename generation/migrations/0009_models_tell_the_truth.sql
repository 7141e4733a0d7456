-- A model is added, checked here by rendering, offered, retired; there is no way back.
CREATE OR REPLACE FUNCTION generation_model_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'state' - 'order' <> to_jsonb(OLD) - 'state' - 'order' THEN
        RAISE EXCEPTION 'a model revision never changes; add another one'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'model_revision_never_changes';
    END IF;
    IF NEW.state <> OLD.state
       AND (OLD.state, NEW.state) NOT IN (('added', 'offered'), ('added', 'retired'), ('offered', 'retired'))
       AND NEW.state IN ('added', 'offered', 'retired') THEN
        RAISE EXCEPTION 'a model that retired does not come back'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_goes_one_way';
    END IF;
    IF OLD.state = 'added' AND NEW.state = 'offered'
       AND NOT coalesce((SELECT has_passed FROM generation_modelcheck WHERE model_id = NEW.id
                         ORDER BY at DESC, id DESC LIMIT 1), false) THEN
        RAISE EXCEPTION 'a model is offered after it rendered a clip here'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_is_checked_before_it_is_offered';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION generation_check_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.at IS DISTINCT FROM core_now() THEN
        RAISE EXCEPTION 'a check is of now'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_check_is_of_now';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER check_law BEFORE INSERT ON generation_modelcheck
    FOR EACH ROW EXECUTE FUNCTION generation_check_law();

-- Where a licence does not hold everywhere, nobody orders without saying where they are.
CREATE FUNCTION generation_job_is_licensed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    shut_out text[];
    said text;
BEGIN
    SELECT territories_excluded INTO shut_out FROM generation_videomodel WHERE id = NEW.model_id;
    IF shut_out = '{}' THEN
        RETURN NEW;
    END IF;
    SELECT d.country INTO said FROM accounts_personaldetail d
        JOIN accounts_person p ON p.id = d.person_id WHERE p.party_id = NEW.party_id;
    IF coalesce(said, '') = '' OR said = ANY (shut_out) THEN
        RAISE EXCEPTION 'the licence of this model does not hold where its tester is'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_licence_holds_where_its_tester_is';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER job_is_licensed BEFORE INSERT ON generation_job
    FOR EACH ROW EXECUTE FUNCTION generation_job_is_licensed();
