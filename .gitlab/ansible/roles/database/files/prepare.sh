#!/bin/sh
# Run once by the image, when the volume is empty: the service's own role and database. It is no superuser.
set -eu

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres \
  --set=name="$DATABASE_NAME" <<'SQL'
\set password `cat /etc/database/password`
create role :"name" login password :'password';
create database :"name" owner :"name";
revoke all on database :"name" from public;
SQL
