#!/bin/sh
# Writes the bindings that are checked in here anew, after a change of the contract. For maintainers of the SDK; needs
#   cargo install wit-bindgen-cli --version 0.63.0 --no-default-features --features c
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/deps/tool"
cp world.wit "$work/"
# Only what the world names; the rest of the contract would need WASI's own files.
cp ../../wit/tool.wit "$work/deps/tool/"
cp ../../wit/deps/*.wit "$work/deps/"
wit-bindgen c "$work" --world chiton --out-dir .
