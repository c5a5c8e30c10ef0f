#!/usr/bin/env bash
# Run by the PostgreSQL image on its first start: roles, their passwords, the database's owner and its schema.
set -euo pipefail
psql=(psql --set=ON_ERROR_STOP=1 --username=postgres --quiet)
"${psql[@]}" --dbname=postgres --file=/deploy/roles.sql
# One line per role: name, a space, the password.
while read -r role password; do
    [ -n "$role" ] || continue
    # By the environment: whoever lists processes reads arguments.
    ROLE=$role PASSWORD=$password "${psql[@]}" --dbname=postgres <<'SQL'
\getenv role ROLE
\getenv password PASSWORD
ALTER ROLE :"role" PASSWORD :'password';
SQL
done < /run/secrets/role_passwords
"${psql[@]}" --dbname=postgres --set=name="$POSTGRES_DB" <<'SQL'
ALTER DATABASE :"name" OWNER TO cortex_owner;
SQL
case "$POSTGRES_DB" in
    cortex) "${psql[@]}" --dbname=cortex --file=/deploy/database.sql ;;
    cortex_keys) "${psql[@]}" --dbname=cortex_keys --file=/deploy/keys-database.sql ;;
esac
