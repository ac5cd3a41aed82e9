#!/bin/sh
# backup.sh [PREFIX]: dumps the database into BACKUP_DIR (/backup), as TIME.dump, and keeps the newest BACKUP_KEEP of
# them, those with a prefix counted apart. A dump has its name only when it is whole and can be read.
set -eu

prefix=${1:+$1-}
folder=${BACKUP_DIR:-/backup}
keep=${BACKUP_KEEP:-14}
case $keep in
  '' | 0 | *[!0-9]*) echo "backup: BACKUP_KEEP must be a number above 0, not '$keep'" >&2; exit 2 ;;
esac
PGPASSWORD=$(cat "${DATABASE_PASSWORD_FILE:-/etc/database/password}")
export PGPASSWORD
umask 077

name=$prefix$(date -u +%Y%m%dT%H%M%SZ).dump
# Two within a second: the first may be what is being restored just now.
while [ -e "$folder/$name" ]; do
  sleep 1
  name=$prefix$(date -u +%Y%m%dT%H%M%SZ).dump
done
partial=$folder/.$name.partial
trap 'rm -f "$partial"' EXIT
# What a killed one left; there is never a second one at the same time.
rm -f "$folder"/.*.partial

pg_dump --format=custom --no-owner --no-privileges --lock-wait-timeout=60s --file="$partial"
pg_restore --list "$partial" >/dev/null
sync "$partial"
mv "$partial" "$folder/$name"
echo "backup: $name, $(wc -c <"$folder/$name" | tr -d ' ') bytes"

# Names sort by time.
set -- "$folder/$prefix"[0-9]*.dump
while [ "$#" -gt "$keep" ]; do
  rm -f "$1"
  echo "backup: removed ${1##*/}"
  shift
done
echo "backup: $# kept"
