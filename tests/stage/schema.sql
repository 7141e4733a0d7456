-- What the test database has beyond the product: a clock that can be set, and a quick reset.
-- Owned by the superuser; the application sees the clock and nothing else of it.
CREATE SCHEMA test;
GRANT USAGE ON SCHEMA test TO PUBLIC;

-- What the migrations made, before anything here replaces it: a house test pins it.
CREATE TABLE test.production AS
    SELECT pg_get_functiondef('core_now()'::regprocedure) AS core_now;

CREATE TABLE test.clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    frozen_at timestamptz,
    ahead interval NOT NULL DEFAULT '0'
);
INSERT INTO test.clock DEFAULT VALUES;
GRANT SELECT ON test.clock TO PUBLIC;

CREATE OR REPLACE FUNCTION core_now() RETURNS timestamptz
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT coalesce(frozen_at, now() + ahead) FROM test.clock $$;

-- Rows that migrations made (content types, permissions, the list of migrations).
CREATE TABLE test.seeded (name text PRIMARY KEY);
DO $$
DECLARE
    name text;
    has_rows boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('CREATE TABLE test.%I AS TABLE public.%I', 'seed_' || name, name);
            INSERT INTO test.seeded VALUES (name);
        END IF;
    END LOOP;
END $$;

CREATE VIEW test.open_transactions AS
    SELECT pid, state FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND xact_start IS NOT NULL AND backend_type = 'client backend';

-- A transaction that a thread of a test left open could commit after the reset: it is ended first.
-- One that works at this moment (a server of the test asking something) gets a second to finish.
CREATE FUNCTION test.end_open_transactions() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    patience timestamptz := clock_timestamp() + interval '1 second';
BEGIN
    LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(pid) FROM test.open_transactions
            WHERE state LIKE 'idle in transaction%' OR clock_timestamp() > patience;
        PERFORM FROM test.open_transactions;
        EXIT WHEN NOT FOUND;
        PERFORM pg_sleep(0.005);
    END LOOP;
END $$;

CREATE FUNCTION test.reset() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
    has_rows boolean;
BEGIN
    PERFORM test.end_open_transactions();
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', name) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('DELETE FROM public.%I', name);
        END IF;
    END LOOP;
    FOR name IN SELECT s.name FROM test.seeded s LOOP
        EXECUTE format('INSERT INTO public.%I TABLE test.%I', name, 'seed_' || name);
    END LOOP;
    UPDATE test.clock SET frozen_at = NULL, ahead = '0';
END $$;
