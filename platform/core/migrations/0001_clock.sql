-- The one clock of the house. Inlined by the planner; the test database replaces its body.
CREATE FUNCTION core_now() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT now() $$;

-- UUIDv7 (RFC 9562, 5.7), the SQL twin of core.ids.new_id().
CREATE FUNCTION core_new_id() RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$
    SELECT encode(
        set_bit(
            set_bit(
                overlay(
                    uuid_send(gen_random_uuid())
                    PLACING substring(
                        int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3
                    )
                    FROM 1 FOR 6
                ),
                52, 1
            ),
            53, 1
        ),
        'hex'
    )::uuid
    $$;

-- The 26 Crockford characters of core.ids.shown(), without the prefix.
CREATE FUNCTION core_shown(id uuid) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT string_agg(
        substr('0123456789abcdefghjkmnpqrstvwxyz',
               (substring(bits FROM 5 * n + 1 FOR 5))::bit(5)::int + 1, 1),
        '' ORDER BY n)
    FROM (SELECT B'00' || ('x' || replace(id::text, '-', ''))::bit(128) AS bits) AS whole,
         generate_series(0, 25) AS n
    $$;

-- For rows that are only ever added: audit, outbox, acceptances.
CREATE FUNCTION core_refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_NAME;
    END
    $$;

-- Grants name the application role as {app}; which role that is, the database itself remembers.
CREATE FUNCTION core_grant(statement text) RETURNS void
    LANGUAGE plpgsql
    AS $$
    DECLARE app text := current_setting('greenroom.app_role', true);
    BEGIN
        IF app IS NULL OR app = '' THEN
            app := 'greenroom_app';
        END IF;
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = app) THEN
            EXECUTE replace(statement, '{app}', quote_ident(app));
        END IF;
    END
    $$;
REVOKE ALL ON FUNCTION core_grant(text) FROM PUBLIC;
-- Default privileges gave it to the application; only migrations grant.
SELECT core_grant('REVOKE ALL ON FUNCTION core_grant(text) FROM {app}');
