#!/usr/bin/env bash
# Attestations of images between implementations, in real registries on loopback: who puts them
# there (ours and cosign, by key and keyless, oras, BuildKit's shape, Helm, our copy), and who
# finds and verifies them (ours, cosign).
#   registry.sh [REGISTRY…]   strict, loose, none, basic, bearer, debian; default all
# Environment: INTEROP (folder of registry.sh and local-sigstore.sh, default ../shared/interop),
# SIGSTORE (a running local-sigstore.sh; without it one is started), PY (python with cryptography), SIGSTORE_BASE (first port, default 5500), PORT (of the Debian
# registry, default 5510), DENO.
# Exit 0 no failing cell, 1 a failing cell, 2 could not run, 3 skipped: nothing to run against.
set -eu
cd "$(dirname "$0")/../.."
interop=${INTEROP:-../shared/interop}
command -v go >/dev/null && PATH=$PATH:$(go env GOPATH)/bin
export PATH PY=${PY:-python3} SIGSTORE_BASE=${SIGSTORE_BASE:-5500} PORT=${PORT:-5510} NO_COLOR=1
export INTEROP=$interop

deno=${DENO:-deno}
run_deno() {
  if command -v "$deno" >/dev/null; then "$deno" "$@"; else npx -y deno@2.9.6 "$@"; fi
}

for script in registry.sh make-multiarch-image.sh; do
  if [ ! -f "$interop/$script" ]; then
    echo "SKIPPED $interop/$script is not there"
    exit 3
  fi
done
for tool in refreg crane curl; do
  if ! command -v "$tool" >/dev/null; then
    echo "SKIPPED $tool is not installed: $interop/registry.sh install"
    exit 3
  fi
done

scratch=$(mktemp -d)
mkdir "$scratch/docker" "$scratch/home"
# Nothing of this may touch what the user is logged in to.
export DOCKER_CONFIG=$scratch/docker HELM_REGISTRY_CONFIG=$scratch/docker/config.json
export HELM_CACHE_HOME=$scratch/home HELM_CONFIG_HOME=$scratch/home HELM_DATA_HOME=$scratch/home
echo '{}' >"$DOCKER_CONFIG/config.json"
started=
stop() {
  for registry in "$scratch"/registry-*; do
    [ -d "$registry" ] && "$interop/registry.sh" stop "$registry" || true
  done
  if [ -n "$started" ]; then "$interop/local-sigstore.sh" stop "$started" >/dev/null || true; fi
  rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 2' INT TERM

# Keyless rows need the local Sigstore; without it they are not applicable.
sigstore=${SIGSTORE:-}
if [ -n "$sigstore" ]; then
  [ -f "$sigstore/env" ] || { echo "error: $sigstore/env is not there" >&2; exit 2; }
elif command -v fulcio >/dev/null && command -v rekor-server-posix >/dev/null &&
  command -v timestamp-server >/dev/null && command -v cosign >/dev/null &&
  "$PY" -c 'import cryptography' 2>/dev/null &&
  ! curl -s -o /dev/null "http://127.0.0.1:$SIGSTORE_BASE/keys"; then
  mkdir "$scratch/sigstore"
  : >"$scratch/sigstore/pids"
  started=$scratch/sigstore
  if "$interop/local-sigstore.sh" start "$started" >/dev/null; then sigstore=$started; fi
fi

run_deno run -A tests/interop/registry.ts "$scratch" "${sigstore:--}" "$@"
