-- Run once by a superuser inside the keys database, after `CREATE DATABASE cortex_keys OWNER cortex_owner`.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO cortex_owner;
GRANT USAGE ON SCHEMA public TO cortex_app, cortex_system;
ALTER DEFAULT PRIVILEGES FOR ROLE cortex_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO cortex_system;
ALTER DEFAULT PRIVILEGES FOR ROLE cortex_owner IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO cortex_app;
ALTER DEFAULT PRIVILEGES FOR ROLE cortex_owner IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO cortex_app, cortex_system;
