-- Styles: what changes how a model draws, which models it fits, and the jobs that are made with it.

-- A style of another model than the job's cannot be attached to it.
ALTER TABLE generation_job ADD CONSTRAINT job_is_of_one_model UNIQUE (id, model_id);
ALTER TABLE generation_jobstyle
    ADD CONSTRAINT style_is_of_its_jobs_model FOREIGN KEY (job_id, model_id)
        REFERENCES generation_job (id, model_id),
    ADD CONSTRAINT style_fits_its_jobs_model FOREIGN KEY (style_id, model_id)
        REFERENCES generation_stylefit (style_id, model_id);

CREATE FUNCTION generation_style_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'added' OR NEW.made_at IS DISTINCT FROM core_now() THEN
        RAISE EXCEPTION 'a style is added now, and not offered yet'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_style_begins_added';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER style_begins BEFORE INSERT ON generation_style
    FOR EACH ROW EXECUTE FUNCTION generation_style_begins();

-- The same moves as generation.styles.rules.
CREATE FUNCTION generation_style_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(NEW) - 'state' <> to_jsonb(OLD) - 'state' THEN
        RAISE EXCEPTION 'a style revision never changes; add another one'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_style_never_changes';
    END IF;
    IF NEW.state <> OLD.state
       AND (OLD.state, NEW.state) NOT IN (('added', 'offered'), ('added', 'retired'), ('offered', 'retired'))
       AND NEW.state IN ('added', 'offered', 'retired') THEN
        RAISE EXCEPTION 'a style that retired does not come back'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_style_goes_one_way';
    END IF;
    IF OLD.state = 'added' AND NEW.state = 'offered'
       AND NOT EXISTS (SELECT FROM generation_stylefit WHERE style_id = NEW.id) THEN
        RAISE EXCEPTION 'a style is offered after it was found to fit a model'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_style_is_offered_where_it_fits';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER style_law BEFORE UPDATE ON generation_style
    FOR EACH ROW EXECUTE FUNCTION generation_style_law();

CREATE FUNCTION generation_stylefit_law() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.checked_at IS DISTINCT FROM core_now() THEN
        RAISE EXCEPTION 'a fit was found now'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_fit_is_found_now';
    END IF;
    IF NOT EXISTS (SELECT FROM generation_videomodel WHERE id = NEW.model_id AND takes_styles) THEN
        RAISE EXCEPTION 'this model takes no styles'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_style_is_for_a_model_that_takes_any';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER stylefit_law BEFORE INSERT ON generation_stylefit
    FOR EACH ROW EXECUTE FUNCTION generation_stylefit_law();

CREATE FUNCTION generation_jobstyle_law() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    used generation_style;
BEGIN
    IF NOT EXISTS (SELECT FROM generation_job WHERE id = NEW.job_id AND state = 'queued'
                   AND attempts = 0 AND queued_at = core_now()) THEN
        RAISE EXCEPTION 'the styles of an order are part of it from the start'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'styles_are_ordered_with_the_job';
    END IF;
    -- Locked: it cannot retire before this is written.
    SELECT * INTO used FROM generation_style WHERE id = NEW.style_id AND state = 'offered' FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'only a style that is offered is ordered'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'only_an_offered_style_is_ordered';
    END IF;
    -- NaN is above every number, so that it is refused too.
    IF NEW.weight < used.least_weight OR NEW.weight > used.most_weight THEN
        RAISE EXCEPTION 'a style is used within its range of weights'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_style_is_used_within_its_weights';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER jobstyle_law BEFORE INSERT ON generation_jobstyle
    FOR EACH ROW EXECUTE FUNCTION generation_jobstyle_law();

-- A worker on another machine needs the styles of an order too: they lie below the models folder.
CREATE OR REPLACE FUNCTION files_needed(job uuid)
RETURNS TABLE (file_id uuid, sha256 text, below text, storage_key text, size bigint,
               media_type text)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT s.id, s.sha256::text, 'media', s.storage_key::text, s.bytes, 'image/png'
    FROM generation_jobcondition c JOIN generation_referencestill s ON s.id = c.still_id
    WHERE c.job_id = job
    UNION ALL
    SELECT s.id, s.sha256::text, 'models', 'styles/' || s.sha256 || '.safetensors', s.bytes,
           'application/octet-stream'
    FROM generation_jobstyle j JOIN generation_style s ON s.id = j.style_id
    WHERE j.job_id = job
$$;
