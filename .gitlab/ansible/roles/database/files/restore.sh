#!/bin/sh
# restore.sh NAME|latest: puts back a dump of BACKUP_DIR. First what is there now is dumped as before-restore-TIME.dump.
# It is one transaction: either everything is as it was then, or nothing has changed.
set -eu

folder=${BACKUP_DIR:-/backup}
wanted=${1:?name of a backup, or latest}
case $wanted in
  latest)
    set -- "$folder"/[0-9]*.dump
    while [ "$#" -gt 1 ]; do shift; done
    ;;
  */* | .*) echo "restore: '$wanted' is no name of a backup" >&2; exit 2 ;;
  *) set -- "$folder/$wanted" ;;
esac
if [ ! -f "$1" ]; then
  echo "restore: there is no ${1##*/}; there are:" >&2
  find "$folder" -name '*.dump' -exec basename {} \; | sort >&2
  exit 1
fi
file=$1
pg_restore --list "$file" >/dev/null

sh "$(dirname "$0")/backup.sh" before-restore
PGPASSWORD=$(cat "${DATABASE_PASSWORD_FILE:-/etc/database/password}")
export PGPASSWORD
# Requests wait for the tables, or are refused, for as long as it takes. Longer than a minute behind a lock: give up.
PGOPTIONS='-c lock_timeout=60s' \
  pg_restore --single-transaction --exit-on-error --clean --if-exists --no-owner --no-privileges \
  --dbname="$PGDATABASE" "$file"
echo "restore: ${file##*/} is back"
