#!/usr/bin/env bash
# Builds my-skill.js or .ts, with its packages, as a component: ./build.sh WIT SOURCE OUT.wasm, where WIT is the folder
# `wit` of Chiton. Needs Node, and npm the first time; ends with 127 where these are missing.
set -euo pipefail
[ $# -eq 3 ] || { echo "usage: build.sh WIT SOURCE OUT.wasm" >&2; exit 2; }
wit=$(realpath "$1") source=$(realpath "$2") out=$(realpath -m "$3")
cd "$(dirname "$0")"
[ node_modules/installed -nt package.json ] || { npm install --silent --no-audit --no-fund && touch node_modules/installed; } || exit 127
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# One package a folder, as the packager reads them.
mkdir -p "$work/wit/deps/chiton-tool" && cp skill.wit "$work/wit" && cp "$wit/tool.wit" "$work/wit/deps/chiton-tool"
for file in "$wit"/deps/*.wit; do
  folder=$work/wit/deps/$(basename "$file" .wit)
  mkdir "$folder" && cp "$file" "$folder"
done
npx esbuild "$source" --bundle --format=esm --external:chiton:* --log-level=warning --outfile="$work/skill.js"
npx componentize-qjs --wit "$work/wit" --world skill --js "$work/skill.js" -o "$out" --sync --opt-size -m
# The packager leaves a function `init` exported that nobody calls and that the contract does not know: the last one.
node -e '
  const fs = require("fs"), [file] = process.argv.slice(1);
  const component = fs.readFileSync(file, "latin1"), without = component.replace(/^([^]*)\x0b\x0a\x01\x00\x04init\x01[^]\x00/, "$1");
  if (component.length - without.length !== 12) throw new Error("the output has another form than that of version 0.4.5");
  fs.writeFileSync(file, without, "latin1");
' "$out"
