#!/bin/sh
# Are the variables there that this pipeline will need? Says all that are missing at once, and prints no value.
set -eu

missing=0

need() {
  eval "value=\${$1:-}"
  # shellcheck disable=SC2154 # set by eval
  if [ -z "$value" ]; then
    echo "missing: $1 - $2"
    missing=$((missing + 1))
  fi
}

wrong() {
  echo "wrong: $1"
  missing=$((missing + 1))
}

need_base64() {
  need "$1" "$2"
  if [ -n "$value" ] && ! printf '%s' "$value" | base64 -d >/dev/null 2>&1; then
    wrong "$1 is not base64 - $2"
  fi
}

need CI_REGISTRY 'the container registry; enable it in the project'
need CI_REGISTRY_IMAGE 'name of the images in the registry'
need CI_REGISTRY_USER 'may push to the registry'
need CI_REGISTRY_PASSWORD 'its password'

if [ "${ENVIRONMENT_NAME:-none}" != none ]; then
  echo "environment: $ENVIRONMENT_NAME"
  need KUBE_DOMAIN 'domain of the environments, host or host:port'
  need CLUSTER_DOMAIN "the cluster's API server, host or host:port (6443)"
  need_base64 CERTIFICATE_AUTHORITY_DATA 'as in a kubeconfig'
  if [ -z "${CLUSTER_TOKEN:-}" ]; then
    need_base64 CLIENT_CERTIFICATE_DATA 'as in a kubeconfig, or CLUSTER_TOKEN'
    need_base64 CLIENT_KEY_DATA 'as in a kubeconfig, or CLUSTER_TOKEN'
  fi
  # A variable of type file holds a path.
  database=${DATABASE_URL:-}
  case $database in /*) database=$(cat "$database") ;; esac
  case $ENVIRONMENT_NAME:${STORE:-postgres}:$database in
    production:postgres:* | preproduction:postgres:*)
      case $database in
        '')
          need POSTGRES_IMAGE 'image of the database that the environment gets, as there is no DATABASE_URL'
          echo 'note: no DATABASE_URL: a PostgreSQL with a volume is made in the cluster' ;;
        postgres://?* | postgresql://?*) echo 'database: the one of DATABASE_URL' ;;
        *) wrong 'DATABASE_URL must be postgres://user:password@host:port/database' ;;
      esac ;;
    *:postgres:*) need POSTGRES_IMAGE 'image of the database that the environment gets' ;;
    *:file:* | *:memory:*) ;;
    *) wrong 'STORE may be postgres, file or memory' ;;
  esac
  certificate=${SSL_CERTIFICATE:-}
  case $certificate in /*) certificate=$(cat "$certificate") ;; esac
  [ -n "$certificate" ] || certificate=$(printf '%s' "${BASE64_SSL_CERTIFICATE:-}" | base64 -d 2>/dev/null) || :
  case ${URL_SCHEME:-http}:$certificate in
    http:*'PRIVATE KEY'*) wrong 'a certificate with its key is given, so http leads to https: set URL_SCHEME to https' ;;
    http:* | https:*'PRIVATE KEY'*) ;;
    https:*) echo 'note: URL_SCHEME is https, and no certificate with a key is given: somebody else must answer to https' ;;
    *) wrong 'URL_SCHEME may be http or https' ;;
  esac
  if [ -z "${CI_DEPLOY_USER:-}" ]; then
    echo 'note: no deploy token (CI_DEPLOY_USER): the cluster pulls with CI_REGISTRY_USER, whose password may end with the job'
  fi
  if [ "$ENVIRONMENT_NAME" = production ] && [ -z "${COVERAGE_HTPASSWD:-}" ]; then
    echo 'note: COVERAGE_HTPASSWD is not set: the coverage report, with the sources in it, is open to whoever reaches it'
  fi
else
  echo 'this commit belongs to no environment: it is built and tested only'
fi

if [ "$missing" -gt 0 ]; then
  echo "$missing variable(s) to set in Settings > CI/CD > Variables (docs/pipeline.md has the table)" >&2
  exit 1
fi
echo 'preflight: passed'
