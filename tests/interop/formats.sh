#!/usr/bin/env bash
# Samples of signature formats, made by their reference tools with throw-away keys, through our
# command line: each as it is, and with one bit flipped in what is signed, in the signature, and
# in what nobody signed.
#   formats.sh [DIR]   DIR: samples that make-formats.sh made; without it they are made, and removed
# Environment: INTEROP (folder of make-formats.sh, default ../shared/interop), VENV (Python with
# in-toto and model-signing, default /opt/attest-venv if it is there), DENO.
# Exit 0 all as expected, 1 something is not, 2 could not run, 3 skipped: nothing to make them with.
set -eu
cd "$(dirname "$0")/../.."
interop=${INTEROP:-../shared/interop}
venv=${VENV:-/opt/attest-venv}

deno=${DENO:-deno}
run_deno() {
  if command -v "$deno" >/dev/null; then "$deno" "$@"; else npx -y deno@2.9.6 "$@"; fi
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 2' INT TERM

if [ $# -gt 0 ]; then
  samples=$1
else
  if [ ! -f "$interop/make-formats.sh" ]; then
    echo "SKIPPED $interop/make-formats.sh is not there"
    exit 3
  fi
  samples=$scratch/samples
  mkdir "$samples" "$scratch/home"
  # rpmsign asks its macros for gpg, and looks nowhere else.
  command -v gpg >/dev/null && echo "%__gpg $(command -v gpg)" >"$scratch/home/.rpmmacros"
  [ -d "$venv" ] || venv=
  HOME=$scratch/home "$interop/make-formats.sh" "$samples" $venv >"$scratch/log" 2>&1 || true
fi
[ -f "$samples/RESULTS.tsv" ] || { echo "error: $samples/RESULTS.tsv is not there" >&2; exit 2; }

run_deno run -A tests/interop/formats.ts "$samples" "$scratch"
