#!/bin/sh
# Checks a running address book from outside, with nothing but a POSIX shell, its usual tools and curl:
#   api-test.sh URL FILE
# creates FILE's entry, reads it back, replaces, lists and deletes it, and looks once more. One line a step; the exit
# code is 0 only if every step answered as the contract says: 1 wrong answer, 2 wrong usage, 3 nothing answers there.
# What it made it removes, also when it fails half-way. Nothing that the server sends is ever executed.
#
# API_TEST_WAIT     seconds to wait until the service answers at all (default 30)
# API_TEST_TIMEOUT  seconds that one request may take (default 10)
# SSL_CERTIFICATE, BASE64_SSL_CERTIFICATE  for https: certificates to trust besides those that curl trusts, as PEM text,
#                   a file of it, or the same in base64. An authority of one's own; or what the server itself shows
set -eu
LC_ALL=C
export LC_ALL

usage() {
  echo "usage: $0 URL FILE" >&2
  exit 2
}

[ "$#" -eq 2 ] || usage
base=${1%/}
file=$2
case $base in
  http://?* | https://?*) ;;
  *) echo "api-test: '$base' is no http(s) URL" >&2; usage ;;
esac
[ -r "$file" ] || { echo "api-test: cannot read $file" >&2; exit 2; }
command -v curl >/dev/null 2>&1 || { echo 'api-test: curl is missing' >&2; exit 2; }

wait_seconds=${API_TEST_WAIT:-30}
timeout_seconds=${API_TEST_TIMEOUT:-10}
work=$(mktemp -d)
created=''
# A create whose answer got lost is sent again with the same key: it finds its entry, and no second one is left behind.
key=api-test-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

cleanup() {
  if [ -n "$created" ]; then
    curl --silent --output /dev/null --max-time "$timeout_seconds" --request DELETE "$base$created" || :
  fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Names are checked all the same: a certificate of another host passes nowhere.
trust_given_certificates() {
  case $base in http://*) return 0 ;; esac
  given=${SSL_CERTIFICATE:-}
  # A variable of type file holds a path.
  case $given in /*) given=$(cat "$given") ;; esac
  if [ -z "$given" ]; then
    given=$(printf '%s' "${BASE64_SSL_CERTIFICATE:-}" | base64 -d) ||
      { echo 'api-test: BASE64_SSL_CERTIFICATE is not base64' >&2; exit 2; }
  fi
  # Not the private key, which may stand beside them.
  printf '%s\n' "$given" | sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p' >"$work/given.pem"
  unset given
  [ -s "$work/given.pem" ] || return 0
  for usual in "${CURL_CA_BUNDLE:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem \
    /etc/pki/tls/certs/ca-bundle.crt; do
    [ ! -r "$usual" ] || break
    usual=''
  done
  if [ -n "$usual" ]; then (cat "$usual"; echo; cat "$work/given.pem"); else cat "$work/given.pem"; fi >"$work/trusted.pem"
  CURL_CA_BUNDLE=$work/trusted.pem
  export CURL_CA_BUNDLE
}

# Printable, and not more than a few lines: it goes into a job's log.
excerpt() {
  tr -cd '[:print:]\n' <"$1" | cut -c 1-300 | head -n 5
}

fail() {
  echo "FAIL  $1" >&2
  if [ -s "$work/body" ]; then
    echo '      the answer was:' >&2
    excerpt "$work/body" | sed 's/^/      | /' >&2
  fi
  exit 1
}

# Whether the last attempt may be made again: nobody was reached, or nobody was ready to answer, and a second one does
# no more than the first. A DELETE is not such a one: it would find nothing.
is_repeatable() {
  case $method:$code:$status in
    DELETE:6:* | DELETE:7:*) return 0 ;;
    DELETE:*) return 1 ;;
    *:0:502 | *:0:503 | *:0:504) return 0 ;;
    *:6:* | *:7:* | *:28:* | *:35:* | *:52:* | *:55:* | *:56:*) return 0 ;;
    *) return 1 ;;
  esac
}

# request METHOD URL [BODY_FILE]: leaves status, headers and body in files.
request() {
  method=$1
  url=$2
  attempt=1
  while :; do
    : >"$work/headers"
    : >"$work/body"
    code=0
    if [ "$#" -eq 3 ]; then
      curl --silent --show-error --connect-timeout 5 --max-time "$timeout_seconds" --request "$method" \
        --header 'Content-Type: application/json' --header "Idempotency-Key: $key" --data-binary "@$3" --dump-header "$work/headers" \
        --output "$work/body" --write-out '%{http_code}' "$url" >"$work/status" 2>"$work/error" || code=$?
    else
      curl --silent --show-error --connect-timeout 5 --max-time "$timeout_seconds" --request "$method" \
        --dump-header "$work/headers" --output "$work/body" --write-out '%{http_code}' "$url" \
        >"$work/status" 2>"$work/error" || code=$?
    fi
    status=$(cat "$work/status")
    if [ "$code" -eq 0 ]; then why="status $status"; else why=$(excerpt "$work/error"); fi
    if [ "$attempt" -ge 5 ] || ! is_repeatable; then
      # A wrong status is said by who knows the right one.
      [ "$code" -ne 0 ] || return 0
      : >"$work/body"
      fail "$method $url: $why (attempt $attempt)"
    fi
    echo "retry $method $url: $why"
    sleep "$attempt"
    attempt=$((attempt + 1))
  done
}

expect_status() {
  [ "$status" = "$2" ] || fail "$1: expected status $2, got $status"
}

# A JSON document as sorted lines `path type value`, so that order of keys and spelling of strings do not matter.
# Exits 1 for what is no JSON.
flatten() {
  awk '
    function die() { bad = 1; exit 1 }
    function utf8(n) {
      if (n < 128) return sprintf("%c", n)
      if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
      if (n < 65536) return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
      return sprintf("%c%c%c%c", 240 + int(n / 262144), 128 + int(n / 4096) % 64, 128 + int(n / 64) % 64, 128 + n % 64)
    }
    function hex(s,   i, n, d) {
      n = 0
      for (i = 1; i <= 4; i++) {
        d = index("0123456789abcdef", tolower(substr(s, i, 1))) - 1
        if (d < 0 || substr(s, i, 1) == "") die()
        n = n * 16 + d
      }
      return n
    }
    function blank() { while (index(" \t\n\r", substr(text, at, 1)) > 0 && at <= size) at++ }
    function string(   out, c, n, low) {
      at++
      out = ""
      for (;;) {
        if (at > size) die()
        c = substr(text, at, 1)
        if (c == "\"") { at++; return out }
        if (c != "\\") { out = out c; at++; continue }
        c = substr(text, at + 1, 1)
        at += 2
        if (c == "u") {
          n = hex(substr(text, at, 4)); at += 4
          if (n >= 55296 && n < 56320 && substr(text, at, 2) == "\\u") {
            low = hex(substr(text, at + 2, 4))
            if (low >= 56320 && low < 57344) { n = 65536 + (n - 55296) * 1024 + low - 56320; at += 6 }
          }
          # Control characters would break the lines; they stay as they were written.
          out = out (n < 32 ? "\\u" n : utf8(n))
        } else if (c == "\"" || c == "\\" || c == "/") out = out c
        else if (index("bfnrt", c) > 0 && c != "") out = out "\\" c
        else die()
      }
    }
    function value(path,   c, key, i, literal) {
      blank()
      c = substr(text, at, 1)
      if (c == "{") {
        at++; blank()
        if (substr(text, at, 1) == "}") { at++; print path " {}"; return }
        for (;;) {
          blank()
          if (substr(text, at, 1) != "\"") die()
          key = string(); blank()
          if (substr(text, at, 1) != ":") die()
          at++; value(path "/" key); blank()
          c = substr(text, at, 1); at++
          if (c == "}") return
          if (c != ",") die()
        }
      }
      if (c == "[") {
        at++; blank()
        if (substr(text, at, 1) == "]") { at++; print path " []"; return }
        for (i = 0; ; i++) {
          value(path "/" i); blank()
          c = substr(text, at, 1); at++
          if (c == "]") return
          if (c != ",") die()
        }
      }
      if (c == "\"") { print path " \"" string(); return }
      literal = ""
      while (at <= size && index(",]} \t\n\r", substr(text, at, 1)) == 0) { literal = literal substr(text, at, 1); at++ }
      if (literal !~ /^(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?)$/) die()
      if (literal ~ /\./ && literal !~ /[eE]/) { sub(/0+$/, "", literal); sub(/\.$/, "", literal) }
      print path " " literal
    }
    { text = text (NR > 1 ? "\n" : "") $0 }
    END {
      if (bad) exit 1
      at = 1; size = length(text)
      value(""); blank()
      if (at <= size) exit 1
    }
  ' "$1" >"$2.unsorted" || return 1
  sort "$2.unsorted" >"$2"
}

# Is the last answer's body the entry in FILE? The service may add empty lists, and nothing else.
expect_entry() {
  flatten "$work/body" "$work/got" || fail "$1: the body is no JSON"
  flatten "$2" "$work/wanted" || { echo "api-test: $2 is no JSON" >&2; exit 2; }
  comm -23 "$work/wanted" "$work/got" >"$work/missing"
  comm -13 "$work/wanted" "$work/got" | grep -v '^/[a-z_]* \[\]$' >"$work/added" || :
  if [ -s "$work/missing" ]; then fail "$1: the body lacks $(excerpt "$work/missing")"; fi
  if [ -s "$work/added" ]; then fail "$1: the body has $(excerpt "$work/added") that was never sent"; fi
}

step() {
  echo "ok    $1"
}

wait_until_it_answers() {
  waited=0
  while :; do
    answer=$(curl --silent --show-error --output /dev/null --connect-timeout 5 --max-time "$timeout_seconds" \
      --write-out '%{http_code}' "$base/addresses" 2>"$work/error") || answer=000
    case $answer in
      200) return 0 ;;
      # No connection, or a proxy that knows no healthy replica (yet).
      000 | 404 | 502 | 503 | 504) ;;
      *) echo "FAIL  GET $base/addresses: expected status 200, got $answer" >&2; exit 1 ;;
    esac
    if [ "$waited" -ge "$wait_seconds" ]; then
      why="last status $answer"
      # curl's own words: a refused connection and a certificate that nobody trusts ask for different cures.
      [ ! -s "$work/error" ] || why=$(excerpt "$work/error")
      echo "FAIL  $base/addresses does not answer: $why (waited $waited s)" >&2
      exit 3
    fi
    sleep 1
    waited=$((waited + 1))
  done
}

echo "api-test: $file at $base"
trust_given_certificates
wait_until_it_answers

request POST "$base/addresses" "$file"
expect_status 'POST /addresses' 201
# A Location may be absolute; only its path counts, and only in the one shape that the contract allows.
location=$(tr -d '\r' <"$work/headers" | sed -n 's/^[Ll][Oo][Cc][Aa][Tt][Ii][Oo][Nn]:[[:space:]]*//p' | tail -n 1 | sed 's|^https\{0,1\}://[^/]*||')
id=$(printf '%s\n' "$location" | sed -n 's|^/addresses/\([0-9a-f]\{32\}\)$|\1|p')
[ -n "$id" ] || fail 'POST /addresses: no header Location: /addresses/<32 hexadecimal digits>'
created=/addresses/$id
[ ! -s "$work/body" ] || fail 'POST /addresses: the body is not empty'
step "POST /addresses -> 201, $created"

request GET "$base$created"
expect_status "GET $created" 200
expect_entry "GET $created" "$file"
step "GET $created -> 200, the same entry"

request GET "$base/addresses"
expect_status 'GET /addresses' 200
grep -q "\"$id\"" "$work/body" || fail "GET /addresses: the list lacks $id"
step 'GET /addresses -> 200, lists it'

printf '{"full_name": "api-test %s"}\n' "$id" >"$work/replacement"
request PUT "$base$created" "$work/replacement"
expect_status "PUT $created" 204
step "PUT $created -> 204"

request GET "$base$created"
expect_status "GET $created after PUT" 200
expect_entry "GET $created after PUT" "$work/replacement"
step "GET $created -> 200, replaced"

request DELETE "$base$created"
expect_status "DELETE $created" 204
created=''
step "DELETE /addresses/$id -> 204"

request GET "$base/addresses/$id"
expect_status "GET /addresses/$id after DELETE" 404
grep -q '"code": *404' "$work/body" || fail "GET /addresses/$id after DELETE: the error body lacks its code"
step "GET /addresses/$id -> 404"
echo 'api-test: passed'
