#!/bin/sh
# Builds a tool in C to a component.
#   build.sh COMPONENT SOURCE...
# Takes clang with Debian's wasi-libc if they are there, else zig. CC_WASM=clang or CC_WASM=zig takes that one;
# CFLAGS are added to its arguments.
set -eu
sdk=$(cd "$(dirname "$0")" && pwd)
component=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The newest clang that has its runtime library for WASM, and that library.
find_clang() {
  [ -f /usr/include/wasm32-wasi/stdio.h ] || return 1
  for clang in $(command -v clang || true) $(ls /usr/bin/clang-[0-9]* 2>/dev/null | sort -t- -k2 -rn); do
    runtime=$(ls "$("$clang" -print-resource-dir)"/lib/wasi/libclang_rt.builtins-wasm32.a 2>/dev/null) && return
  done
  return 1
}

# A linker for WASM: lld, or the one inside a Rust toolchain.
find_linker() {
  linker=$(command -v wasm-ld || ls /usr/bin/wasm-ld-[0-9]* "$(rustc --print sysroot 2>/dev/null)"/lib/rustlib/*/bin/gcc-ld/wasm-ld 2>/dev/null | head -1)
  [ -n "$linker" ]
}

find_zig() {
  for zig in zig python-zig "python3 -m ziglang"; do
    $zig version >/dev/null 2>&1 && return
  done
  return 1
}

flags="-std=c17 -Os -Wall -Wextra -Wno-unused-parameter -Werror=format-security -I$sdk ${CFLAGS:-}"
set -- "$@" "$sdk/chiton_tool.c" "$sdk/chiton.c" "$sdk/cjson/cJSON.c" "$sdk/chiton_component_type.o"
wanted=${CC_WASM:-any}

if [ "$wanted" != zig ] && find_clang && find_linker; then
  objects=
  for source in "$@"; do
    case $source in
    *.c)
      object=$work/$(basename "$source" .c).o
      # shellcheck disable=SC2086 # flags are several
      "$clang" --target=wasm32-wasip1 -isystem /usr/include/wasm32-wasi $flags -c "$source" -o "$object"
      objects="$objects $object"
      ;;
    *) objects="$objects $source" ;;
    esac
  done
  libc=/usr/lib/wasm32-wasi
  # shellcheck disable=SC2086 # objects are several
  "$linker" -L"$libc" "$libc/crt1-reactor.o" --entry _initialize --gc-sections --strip-all \
    $objects -lc "$runtime" -o "$work/module.wasm"
elif [ "$wanted" != clang ] && find_zig; then
  # shellcheck disable=SC2086 # zig may be several words, flags are
  $zig cc --target=wasm32-wasi -mexec-model=reactor $flags -s "$@" -o "$work/module.wasm"
else
  cat >&2 <<'MISSING'
build.sh: no C compiler for WASM is here. Install one of:
  Debian, Ubuntu:  apt-get install --no-install-recommends clang-19 libclang-rt-19-dev-wasm32 lld-19 wasi-libc
                   (or the number of the newest clang that 'apt-cache search libclang-rt' lists with wasm32)
  anywhere:        pip install ziglang      (or zig from https://ziglang.org)
MISSING
  exit 127
fi
sh "$sdk/../component.sh" "$work/module.wasm" "$component"
