#!/bin/sh
# Prints the slug of every branch that the project has (as CI_COMMIT_REF_SLUG), one a line. No answer, or an empty one,
# is an error: cleaning up must never take "I could not ask" for "there are none".
set -eu

branches=$(git ls-remote --heads origin)
[ -n "$branches" ] || { echo 'list-branches: the remote names no branch' >&2; exit 1; }
printf '%s\n' "$branches" | sed 's|^[^[:space:]]*[[:space:]]*refs/heads/||' | tr '[:upper:]' '[:lower:]' |
  LC_ALL=C sed 's/[^a-z0-9]/-/g' | cut -c 1-63 | sed 's/^-*//; s/-*$//' | sort -u
