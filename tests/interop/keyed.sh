#!/usr/bin/env bash
# Keys and signatures between implementations: algorithms × forms (PKCS#8, encrypted PKCS#8, SPKI,
# JWK, cosign's key file, raw signatures, DSSE envelopes) × openssl, securesystemslib, cosign and
# Python libraries for what these lack, both ways. Nothing is asked of the network, but pip for a
# virtual environment unless PY is set.
#   keyed.sh
# Environment: PY (python with securesystemslib, cryptography, jwcrypto, pycryptodome), DENO.
# Exit 0 no failing cell, 1 a failing cell, 2 could not run, 3 skipped: no tool is there.
set -eu
cd "$(dirname "$0")/../.."
command -v go >/dev/null && PATH=$PATH:$(go env GOPATH)/bin
export PATH NO_COLOR=1

deno=${DENO:-deno}
run_deno() {
  if command -v "$deno" >/dev/null; then "$deno" "$@"; else npx -y deno@2.9.6 "$@"; fi
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 2' INT TERM

if [ -z "${PY:-}" ]; then
  if python3 -m venv "$scratch/venv" 2>/dev/null &&
    "$scratch/venv/bin/pip" --quiet --disable-pip-version-check install \
      securesystemslib==1.6.0 cryptography==50.0.2 jwcrypto==1.6.1 pycryptodome==4.4.0; then
    PY=$scratch/venv/bin/python
  else
    echo "SKIPPED python3 with venv and pip is not there, or pip cannot install: set PY" >&2
    PY=
  fi
fi
export PY

run_deno run -A tests/interop/keyed.ts "$scratch"
