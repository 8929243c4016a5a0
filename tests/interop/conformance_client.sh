#!/usr/bin/env bash
# Executable for the sigstore-conformance suite; DENO names the deno to run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${DENO:-}" ] && ! command -v deno >/dev/null; then
  exec npx -y deno@2.9.6 run -A --no-check "$here/client.ts" "$@"
fi
exec "${DENO:-deno}" run -A --no-check "$here/client.ts" "$@"
