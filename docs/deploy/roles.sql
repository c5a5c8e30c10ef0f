-- The database roles, made once by a superuser in each cluster (main and keys) before the first migrate.
-- Passwords are set apart: ALTER ROLE cortex_app PASSWORD '…'. Embedded mode and the tests run this very file.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cortex_owner') THEN
        CREATE ROLE cortex_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cortex_app') THEN
        CREATE ROLE cortex_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cortex_system') THEN
        CREATE ROLE cortex_system LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;
    END IF;
    -- Nobody signs in as the eraser: the system role puts it on for an erasure and takes it off again.
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'cortex_eraser') THEN
        CREATE ROLE cortex_eraser NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE BYPASSRLS;
    END IF;
END $$;
GRANT cortex_eraser TO cortex_system WITH INHERIT FALSE, SET TRUE;
