#!/usr/bin/env bash
# Makes ./secrets for compose.yaml once; it never overwrites. Keep the folder out of backups of the database.
set -euo pipefail
cd "$(dirname "$0")/../.."
host=${1:?usage: docs/deploy/make-secrets.sh HOST}
umask 077
mkdir secrets
key() { openssl rand -base64 32; }
word() { openssl rand -hex 24; }
printf '{"current": "v1", "keys": {"v1": "%s"}}\n' "$(key)" > secrets/master_key
key > secrets/index_key
key > secrets/audit_signing_key
# Two more: whoever opens a backup of the words must not open one of their keys.
key > secrets/backup_key
key > secrets/keys_backup_key
openssl rand -base64 64 | tr -d '\n' > secrets/secret_key
word > secrets/metrics_token
word > secrets/postgres_password
owner=$(word) app=$(word) system=$(word)
printf 'cortex_owner %s\ncortex_app %s\ncortex_system %s\n' "$owner" "$app" "$system" > secrets/role_passwords
main='host=/run/cortex-postgres' keys='host=/run/cortex-keys'
cat > secrets/cortex.env <<ENV
CORTEX_ALLOWED_HOSTS=$host,localhost
CORTEX_PUBLIC_URL=https://$host
CORTEX_TRUSTED_PROXIES=1
EMAIL_URL=none
DATABASE_URL=postgresql://cortex_app:$app@/cortex?$main
DATABASE_SYSTEM_URL=postgresql://cortex_system:$system@/cortex?$main
DATABASE_OWNER_URL=postgresql://cortex_owner:$owner@/cortex?$main
KEYS_DATABASE_URL=postgresql://cortex_app:$app@/cortex_keys?$keys
KEYS_DATABASE_SYSTEM_URL=postgresql://cortex_system:$system@/cortex_keys?$keys
KEYS_DATABASE_OWNER_URL=postgresql://cortex_owner:$owner@/cortex_keys?$keys
ENV
# Files keep their owner inside a container: the application runs as 10001, PostgreSQL as 999, and each reads its
# own. The first start of the databases reads these two as 999 and would die half done without.
own() { chown -R 10001:10001 secrets && chown 999:999 secrets/postgres_password secrets/role_passwords; }
chmod 0400 secrets/postgres_password secrets/role_passwords
own 2>/dev/null || echo "Run as root once: chown -R 10001:10001 secrets; chown 999:999 secrets/*_password*"
echo "No mails leave yet: put your mail server into EMAIL_URL in secrets/cortex.env."
