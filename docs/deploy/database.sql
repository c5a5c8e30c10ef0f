-- Run once by a superuser inside the main database, after `CREATE DATABASE cortex OWNER cortex_owner`.
CREATE EXTENSION IF NOT EXISTS vector;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO cortex_owner;
GRANT USAGE ON SCHEMA public TO cortex_app, cortex_system, cortex_eraser;
