import type { Recipe } from '../types.ts';

/**
 * The part of the original's entry point that services of jobs and databases in a cluster need: variables and files that
 * name user, password and database, scripts for the first start, any user, a root file system that is read-only.
 */
const ENTRYPOINT = `#!/bin/sh
set -e
case "\${1-}" in -*) set -- postgres "$@" ;; esac
[ "\${1-}" = postgres ] || exec "$@"
PATH="/usr/lib/postgresql/15/bin:$PATH"
PGDATA="\${PGDATA:-/var/lib/postgresql/data}"
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  install -d -o postgres -g postgres -m 3777 /var/run/postgresql
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
mkdir -p "$PGDATA"
# A volume's group may have been given access; the server refuses to start then.
chmod 700 "$PGDATA" || :
export PGDATA
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB; do
    eval "file=\\\${\${name}_FILE-}"
    [ -z "$file" ] || export "$name=$(cat "$file")"
  done
  if [ -z "\${POSTGRES_PASSWORD-}" ] && [ "\${POSTGRES_HOST_AUTH_METHOD-}" != trust ]; then
    echo 'Set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust.' >&2
    exit 1
  fi
  user="\${POSTGRES_USER:-postgres}"
  (umask 077; printf '%s' "\${POSTGRES_PASSWORD-}" > /tmp/pw)
  # shellcheck disable=SC2086 # several flags
  initdb --username="$user" \${POSTGRES_PASSWORD:+--pwfile=/tmp/pw} --pgdata="$PGDATA" \${POSTGRES_INITDB_ARGS-}
  rm /tmp/pw
  echo "host all all all \${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
  pg_ctl --pgdata="$PGDATA" -o '-c listen_addresses=' -w start
  name="\${POSTGRES_DB:-$user}"
  [ "$name" = postgres ] || createdb --username="$user" "$name"
  for file in /docker-entrypoint-initdb.d/*; do
    case "$file" in
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) psql --no-psqlrc --username="$user" --dbname="$name" --set=ON_ERROR_STOP=1 --file="$file" ;;
    esac
  done
  pg_ctl --pgdata="$PGDATA" -m fast -w stop
fi
shift
exec postgres -D "$PGDATA" -c listen_addresses='*' "$@"
`;

export function postgresRecipe(): Recipe {
  return {
    kind: 'dockerfile',
    name: 'postgres:2',
    dockerfile: `FROM debian:bookworm-slim
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres \\
    && apt-get update \\
    && apt-get install -y --no-install-recommends postgresql-15 \\
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15 \\
    && mkdir -p /docker-entrypoint-initdb.d \\
    && install -d -o postgres -g postgres -m 3777 /var/run/postgresql
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/15/bin:$PATH
COPY --chmod=755 docker-entrypoint.sh /usr/local/bin/
EXPOSE 5432
STOPSIGNAL SIGINT
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
`,
    files: { 'docker-entrypoint.sh': ENTRYPOINT },
  };
}
