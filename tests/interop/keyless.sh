#!/usr/bin/env bash
# Keyless signatures between implementations, all on loopback: ours, cosign, sigstore-go and
# sigstore-python each sign, as DSSE and as a blob, through Fulcio, Rekor v2 and an RFC 3161
# authority; each verifies what the others made.
#   keyless.sh [DIR]   DIR: a running local-sigstore.sh; without it one is started and stopped
# Environment: INTEROP (folder of local-sigstore.sh, default ../shared/interop), PY (python with
# sigstore), SIGSTORE_BASE (first port, default 5400), DENO, NODE24.
# Exit 0 no failing cell, 1 a failing cell, 2 could not run, 3 skipped: nothing to run against.
set -eu
cd "$(dirname "$0")/../.."
interop=${INTEROP:-../shared/interop}
command -v go >/dev/null && PATH=$PATH:$(go env GOPATH)/bin
export PATH PY=${PY:-python3} SIGSTORE_BASE=${SIGSTORE_BASE:-5400} NO_COLOR=1

deno=${DENO:-deno}
run_deno() {
  if command -v "$deno" >/dev/null; then "$deno" "$@"; else npx -y deno@2.9.6 "$@"; fi
}

scratch=$(mktemp -d)
started=
stop() {
  if [ -n "$started" ]; then "$interop/local-sigstore.sh" stop "$started" || true; fi
  rm -rf "$scratch"
}
trap stop EXIT
trap 'exit 2' INT TERM

if [ $# -gt 0 ]; then
  sigstore=$1
else
  for tool in fulcio rekor-server-posix timestamp-server cosign openssl curl; do
    if ! command -v "$tool" >/dev/null; then
      echo "SKIPPED $tool is not installed: $interop/local-sigstore.sh install"
      exit 3
    fi
  done
  if [ ! -f "$interop/local-sigstore.sh" ]; then
    echo "SKIPPED $interop/local-sigstore.sh is not there"
    exit 3
  fi
  if ! "$PY" -c 'import cryptography' 2>/dev/null; then
    echo "SKIPPED $PY has no module cryptography, which the local issuer needs: set PY"
    exit 3
  fi
  if curl -s -o /dev/null "http://127.0.0.1:$SIGSTORE_BASE/keys"; then
    echo "error: port $SIGSTORE_BASE is taken: set SIGSTORE_BASE" >&2
    exit 2
  fi
  sigstore=$scratch/sigstore
  mkdir "$sigstore"
  : >"$sigstore/pids"
  started=$sigstore
  "$interop/local-sigstore.sh" start "$sigstore" >/dev/null || exit 2
fi
[ -f "$sigstore/env" ] || { echo "error: $sigstore/env is not there" >&2; exit 2; }

run_deno run -A tests/interop/keyless.ts "$sigstore" "$scratch"
