#!/bin/sh
# clean-registry.sh BRANCHES_FILE: removes the image tags of feature branches that are gone, by the OCI distribution API.
# Only tags that a `feat-` branch's pipeline makes are looked at; versions and long-lived branches never go. A tag is
# removed as a tag; by digest only when no tag that stays has the same digest. CLEANUP_DRY_RUN: anything but `false`
# only says what would go.
set -eu

keep_file=$1
[ -s "$keep_file" ] || { echo "clean-registry: $keep_file is empty: refusing to take that for an answer" >&2; exit 1; }
scheme=${CLEANUP_REGISTRY_SCHEME:-https}
registry=$CI_REGISTRY
name=${CI_REGISTRY_IMAGE#"$registry"/}
api=$scheme://$registry/v2/$name
accept='application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json'

umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quoted() {
  printf '%s' "$1" | sed 's/[\\"]/\\&/g'
}

# Credentials are in files that curl reads: not on a command line, not in the log.
printf 'user = "%s:%s"\n' "$(quoted "$CI_REGISTRY_USER")" "$(quoted "$CI_REGISTRY_PASSWORD")" >"$work/basic"
cp "$work/basic" "$work/auth"

call() {
  curl --silent --show-error --config "$work/auth" --max-time 60 "$@"
}

# Registries with a token server say so in the challenge; the others take the password itself.
curl --silent --output /dev/null --dump-header "$work/challenge" --max-time 60 "$scheme://$registry/v2/"
realm=$(tr -d '\r' <"$work/challenge" | sed -n 's/^[Ww][Ww][Ww]-[Aa]uthenticate: *[Bb]earer .*realm="\([^"]*\)".*/\1/p')
service=$(tr -d '\r' <"$work/challenge" | sed -n 's/^[Ww][Ww][Ww]-[Aa]uthenticate: *[Bb]earer .*service="\([^"]*\)".*/\1/p')
if [ -n "$realm" ]; then
  curl --silent --show-error --fail --config "$work/basic" --max-time 60 --get --data-urlencode "service=$service" \
    --data-urlencode "scope=repository:$name:pull,delete" --output "$work/token.json" "$realm"
  printf 'header = "Authorization: Bearer %s"\n' \
    "$(sed -n 's/.*"\(access_\)\{0,1\}token" *: *"\([^"]*\)".*/\2/p' "$work/token.json" | head -n 1)" >"$work/auth"
fi

next="$api/tags/list?n=1000"
: >"$work/tags"
while [ -n "$next" ]; do
  status=$(call --output "$work/page" --dump-header "$work/headers" --write-out '%{http_code}' "$next")
  case $status in
    200) ;;
    404) echo 'clean-registry: no images yet'; exit 0 ;;
    *) echo "clean-registry: listing tags: status $status" >&2; exit 1 ;;
  esac
  tr -d '\n' <"$work/page" | sed -n 's/.*"tags" *: *\[\([^]]*\)\].*/\1/p' | tr ',' '\n' | tr -d '" ' >>"$work/tags"
  # The last tag of a page must not grow together with the first of the next.
  echo >>"$work/tags"
  next=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Ll]ink: *<\([^>]*\)>.*rel="\{0,1\}next.*/\1/p')
  case $next in /*) next=$scheme://$registry$next ;; esac
done

: >"$work/stale"
: >"$work/kept"
while read -r tag; do
  slug=$(printf '%s\n' "$tag" | sed -E 's/^(ansible|coverage|test)-//')
  case $slug in
    feat-*) if grep -qxF -e "$slug" "$keep_file"; then list=kept; else list=stale; fi ;;
    *) list=kept ;;
  esac
  [ -z "$tag" ] || echo "$tag" >>"$work/$list"
done <"$work/tags"

digest_of() {
  call --output /dev/null --head --header "Accept: $accept" --dump-header "$work/head" "$api/manifests/$1"
  tr -d '\r' <"$work/head" | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: *//p'
}

is_kept() {
  while read -r kept_tag; do
    [ "$(digest_of "$kept_tag")" != "$1" ] || return 0
  done <"$work/kept"
  return 1
}

removed=0
while read -r tag; do
  if [ "${CLEANUP_DRY_RUN:-false}" != false ]; then
    echo "would remove $tag"
    continue
  fi
  status=$(call --output /dev/null --write-out '%{http_code}' --request DELETE "$api/manifests/$tag")
  if [ "$status" = 400 ] || [ "$status" = 405 ]; then
    # This registry deletes by digest only, and with it every tag that has it.
    digest=$(digest_of "$tag")
    if [ -z "$digest" ] || is_kept "$digest"; then
      echo "left $tag: the same image has a tag that stays"
      continue
    fi
    status=$(call --output /dev/null --write-out '%{http_code}' --request DELETE "$api/manifests/$digest")
  fi
  case $status in
    200 | 202 | 204 | 404) removed=$((removed + 1)); echo "removed $tag" ;;
    *) echo "clean-registry: $tag: status $status" >&2; exit 1 ;;
  esac
done <"$work/stale"
echo "clean-registry: $removed removed, $(wc -l <"$work/kept" | tr -d ' ') kept"
