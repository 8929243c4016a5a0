#!/usr/bin/env bash
# The script of action.yml. Everything that a workflow says arrives in variables and leaves in
# an array of arguments: nothing is evaluated.
set -euo pipefail

fail() {
  echo "::error title=Attest::$1"
  exit 2
}

attest() {
  npx -y deno@2.9.6 run --no-prompt --allow-read --allow-write --allow-env --allow-net \
    "$ATTEST_CLI" "$@"
}

args=(attest)
subjects=0
beside=()

# Paths and patterns, one in each line; a name that there is wins over the pattern in it.
while IFS= read -r line; do
  [ -n "${line//[[:space:]]/}" ] || continue
  found=()
  if [ -e "$line" ]; then
    found=("$line")
  else
    mapfile -t found < <(compgen -G "$line" | LC_ALL=C sort)
  fi
  [ ${#found[@]} -gt 0 ] || fail "subject-path matches nothing: ${line//[^[:print:]]/?}"
  for file in "${found[@]}"; do
    case $file in -*) file=./$file ;; esac
    args+=("$file")
    beside+=("$file.sigstore.json")
    subjects=$((subjects + 1))
  done
done <<<"$SUBJECT_PATH"

while IFS= read -r line; do
  [ -n "${line//[[:space:]]/}" ] || continue
  args+=("--subject-digest=$line")
  subjects=$((subjects + 1))
done <<<"$SUBJECT_DIGEST"

if [ -n "$SUBJECT_CHECKSUMS" ]; then
  args+=("--checksums=$SUBJECT_CHECKSUMS")
  beside+=("$SUBJECT_CHECKSUMS.sigstore.json")
  subjects=$((subjects + 1))
fi
[ "$subjects" -gt 0 ] || fail "Give subject-path, subject-digest or subject-checksums"
if [ -n "$SUBJECT_NAME" ]; then args+=("--subject-name=$SUBJECT_NAME"); fi

# What is said about them: one thing for each step.
if [ -n "$SBOM_PATH" ] && [ -n "$PREDICATE_PATH" ]; then
  fail "sbom-path and predicate-path exclude each other: use two steps"
fi
if [ -n "$SBOM_PATH$PREDICATE_PATH" ]; then
  [ "$PROVENANCE" != true ] || fail "provenance is a step of its own"
  if [ -n "$SBOM_PATH" ]; then
    [ -z "$PREDICATE_TYPE" ] || fail "predicate-type goes with predicate-path: an SBOM has its own"
    args+=("--sbom=$SBOM_PATH")
  else
    [ -n "$PREDICATE_TYPE" ] || fail "predicate-path needs predicate-type"
    args+=("--predicate=$PREDICATE_PATH" "--type=$PREDICATE_TYPE")
  fi
else
  case $PROVENANCE in
    true | '') ;;
    false) fail "provenance is false, and there is neither predicate-path nor sbom-path" ;;
    *) fail "provenance is true or false" ;;
  esac
  [ -z "$PREDICATE_TYPE" ] || fail "predicate-type needs predicate-path"
  args+=(--provenance)
fi

if [ -n "$BUNDLE_PATH" ]; then
  args+=("--output=$BUNDLE_PATH")
  bundles=("$BUNDLE_PATH")
else
  if [ "$subjects" -gt 1 ]; then args+=(--each); fi
  bundles=("${beside[@]}")
fi

case $IF_POSSIBLE in
  true) args+=(--if-possible) ;;
  false | '') ;;
  *) fail "if-possible is true or false" ;;
esac

if [ -n "$MATRIX" ]; then export ATTEST_MATRIX=$MATRIX; fi

# The instance: the one that is given, or the public-good one as it is published today.
if [ -n "$SIGNING_CONFIG" ] && [ -n "$TRUSTED_ROOT" ]; then
  args+=("--signing-config=$SIGNING_CONFIG" "--trusted-root=$TRUSTED_ROOT")
elif [ -n "$SIGNING_CONFIG$TRUSTED_ROOT" ]; then
  fail "signing-config and trusted-root go together"
else
  trust=$(mktemp -d)
  trap 'rm -rf "$trust"' EXIT
  attest trusted-root update --cache "$trust/tuf" --output "$trust/trusted_root.json" \
    --signing-config-output "$trust/signing_config.json"
  args+=("--signing-config=$trust/signing_config.json")
  args+=("--trusted-root=$trust/trusted_root.json")
fi

attest "${args[@]}"

# With if-possible there may be none. No path can end the list, as nobody knows its last line.
end=end-of-paths-$RANDOM$RANDOM$RANDOM
{
  echo "bundle-path<<$end"
  for bundle in ${bundles[@]+"${bundles[@]}"}; do
    if [ -f "$bundle" ]; then printf '%s\n' "$bundle"; fi
  done
  echo "$end"
} >>"$GITHUB_OUTPUT"
