import type { Recipe } from '../types.ts';

/** The part of the original's entry point that a test database needs: the variables that name user, password, database. */
const ENTRYPOINT = `#!/bin/sh
set -e
[ "\${1-}" = postgres ] || exec "$@"
PATH="/usr/lib/postgresql/15/bin:$PATH"
PGDATA="\${PGDATA:-/var/lib/postgresql/data}"
if [ "$(id -u)" = 0 ]; then
  install -d -o postgres -g postgres -m 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  if [ -z "\${POSTGRES_PASSWORD-}" ] && [ "\${POSTGRES_HOST_AUTH_METHOD-}" != trust ]; then
    echo 'Set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust.' >&2
    exit 1
  fi
  user="\${POSTGRES_USER:-postgres}"
  (umask 077; printf '%s' "\${POSTGRES_PASSWORD-}" > /tmp/pw)
  initdb --username="$user" \${POSTGRES_PASSWORD:+--pwfile=/tmp/pw} --pgdata="$PGDATA"
  rm /tmp/pw
  echo "host all all all \${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >> "$PGDATA/pg_hba.conf"
  pg_ctl --pgdata="$PGDATA" -o '-c listen_addresses= -c unix_socket_directories=/tmp' -w start
  name="\${POSTGRES_DB:-$user}"
  [ "$name" = postgres ] || createdb --host=/tmp --username="$user" "$name"
  for file in /docker-entrypoint-initdb.d/*.sql; do
    [ -f "$file" ] && psql --host=/tmp --username="$user" --dbname="$name" --set=ON_ERROR_STOP=1 --file="$file"
  done
  pg_ctl --pgdata="$PGDATA" -m fast -w stop
fi
shift
exec postgres -D "$PGDATA" -c listen_addresses='*' -c unix_socket_directories=/tmp "$@"
`;

export function postgresRecipe(): Recipe {
  return {
    kind: 'dockerfile',
    name: 'postgres:1',
    dockerfile: `FROM debian:bookworm-slim
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid postgres --home-dir /var/lib/postgresql --shell /bin/bash postgres \\
    && apt-get update \\
    && apt-get install -y --no-install-recommends postgresql-15 \\
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15 \\
    && mkdir -p /docker-entrypoint-initdb.d
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
