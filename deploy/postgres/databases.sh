#!/usr/bin/env bash
# Makes Brygga's two databases, each with a login of its own: content and keys. Whoever has one backup can read nobody; that is
# why they are two, and why neither login may enter the other database.
# Run once by the PostgreSQL image on an empty volume, or by hand as root or as the user postgres:
#   STORE_PASSWORD_FILE=… KEYS_PASSWORD_FILE=… deploy/postgres/databases.sh
set -euo pipefail

as=()
[ "$(id -u)" != 0 ] || as=(runuser -u postgres --)

make() { # make NAME PASSWORD-FILE
    local password
    password="$(cat "$2")"
    password="${password//\\/\\\\}"
    # The password travels by standard input: arguments stand in process lists. Nor does it stand in the server's log.
    "${as[@]}" psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres --set=name="$1" --file=- <<SQL
\set password '${password//\'/\'\'}'
SET password_encryption = 'scram-sha-256';
SET log_statement = 'none';
SET log_min_error_statement = 'panic';
CREATE ROLE :"name" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE CONNECTION LIMIT 100 PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name" TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
\connect :"name"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO :"name";
SQL
}

make brygga_content "${STORE_PASSWORD_FILE:-/run/secrets/store_password}"
make brygga_keys "${KEYS_PASSWORD_FILE:-/run/secrets/keys_password}"
