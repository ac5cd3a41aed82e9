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

need_base64() {
  need "$1" "$2"
  if [ -n "$value" ] && ! printf '%s' "$value" | base64 -d >/dev/null 2>&1; then
    echo "wrong: $1 is not base64 - $2"
    missing=$((missing + 1))
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
