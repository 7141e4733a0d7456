-- Models say whether they hold a picture as loosely as they are asked to.

-- Those that are known: it is so exactly where pictures may stand at any frame.
ALTER TABLE generation_videomodel DISABLE TRIGGER model_law;
UPDATE generation_videomodel SET takes_strength = true WHERE 'keyframes' = ANY (modes);
ALTER TABLE generation_videomodel ENABLE TRIGGER model_law;

CREATE OR REPLACE FUNCTION generation_condition_law() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ordered generation_job;
BEGIN
    SELECT * INTO ordered FROM generation_job WHERE id = NEW.job_id;
    IF ordered.state <> 'queued' OR ordered.attempts > 0 OR ordered.queued_at <> core_now() THEN
        RAISE EXCEPTION 'the pictures of an order are part of it from the start'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'an_order_is_written_at_once';
    END IF;
    IF NEW.frame >= ordered.frames THEN
        RAISE EXCEPTION 'a picture stands at a frame of its clip'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_condition_lies_within_its_clip';
    END IF;
    IF NEW.number >= (SELECT most_conditions FROM generation_videomodel
                      WHERE id = ordered.model_id) THEN
        RAISE EXCEPTION 'the model takes no more pictures'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_takes_so_many_pictures';
    END IF;
    IF NEW.strength > 0 AND NEW.strength < 1
       AND NOT (SELECT takes_strength FROM generation_videomodel WHERE id = ordered.model_id) THEN
        RAISE EXCEPTION 'the model would ignore this strength'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_model_takes_a_strength';
    END IF;
    -- Locked: it cannot be removed before this is written.
    PERFORM FROM generation_reference WHERE id = NEW.reference_id AND removed_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a reference that was removed is shown by no new job'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_removed_reference_is_not_shown';
    END IF;
    RETURN NEW;
END $$;
