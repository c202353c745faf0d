#!/usr/bin/env bash
# Builds a copy of every template of the SDK that has something to build, and says what it could not build.
#   sdk/build-all.sh [LANGUAGE...]
# The components come to target/languages/. With CHITON=PROGRAM, that runs the examples of each. A language whose toolchain is missing is an error only if it was named.
set -uo pipefail
sdk=$(cd "$(dirname "$0")" && pwd)
named=" $* "
out=$(cd "$sdk/.." && pwd)/target/languages
mkdir -p "$out"
failed=0

# One word of [build] or of the top of a skill.toml, or several, one a line.
asked() { # FOLDER KEY
  sed -n "s/^$2 *= *//p" "$1/skill.toml" | tr -d '[]"' | tr ',' '\n' | sed 's/^ *//; s/ *$//'
}

# What `chiton skill new` does, under the template's own name.
copy() { # TEMPLATE PROJECT
  mkdir -p "$2" && cp -r "$1/." "$2/" &&
    grep -rlI --exclude-dir=target '\.\./\.\./' "$2" | xargs -r sed -i "s#\.\./\.\./\.\./#$sdk/../#g; s#\.\./\.\./#$sdk/#g"
}

for template in "$sdk"/*/template "$sdk"/*/component; do
  grep -qs '^\[build\]' "$template/skill.toml" || continue # a script, or nothing
  language=$(basename "$(dirname "$template")")
  [[ $# -eq 0 || $named == *" $language "* ]] || continue
  what=$language-$(basename "$template")
  copy "$template" "$out/$what"
  mapfile -t command < <(asked "$template" command)
  (cd "$out/$what" && "${command[@]}") >"$out/$what.log" 2>&1
  case $? in
  0)
    output=$(asked "$template" output)
    cp "$out/$what/${output:-$(asked "$template" component)}" "$out/$what.wasm"
    # Where it was not built already, the component takes the place that the manifest names.
    cp "$out/$what.wasm" "$out/$what/$(asked "$template" component)" 2>/dev/null
    echo "built      $what: $(wc -c <"$out/$what.wasm") bytes"
    if [[ -n ${CHITON:-} ]] && ! "$CHITON" skill test "$out/$what" >"$out/$what.log" 2>&1; then
      echo "failed     $what: see $out/$what.log"
      failed=1
    fi
    ;;
  127)
    echo "not built  $what: $(tail -1 "$out/$what.log")"
    [[ $named == *" $language "* ]] && failed=1
    ;;
  *)
    echo "failed     $what: see $out/$what.log"
    failed=1
    ;;
  esac
done
exit $failed
