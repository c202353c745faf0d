#!/bin/sh
# Makes a component of a WASI module (a "reactor") that says what it exports in a section `component-type`.
#   component.sh MODULE COMPONENT
# The tool for it, wasm-component-ld, is part of every Rust toolchain; it adapts the older WASI that C and Go speak.
set -eu

find_tool() {
  command -v wasm-component-ld && return
  for root in "$(rustc --print sysroot 2>/dev/null)" "${XDG_DATA_HOME:-$HOME/.local/share}/chiton/wasm-toolchain"; do
    for tool in "$root"/lib/rustlib/*/bin/wasm-component-ld; do
      if [ -x "$tool" ]; then echo "$tool"; return; fi
    done
  done
  echo "component.sh: wasm-component-ld is missing; install Rust from https://rustup.rs (it is part of it)," \
    "or run: cargo install wasm-component-ld" >&2
  exit 127
}

tool=$(find_tool) || exit 127
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The module is linked already: where a linker is asked for, it is handed over as it is.
cat >"$work/wasm-ld" <<'LINKER'
#!/bin/sh
while [ "$1" != -o ]; do shift; done
exec cp "$MODULE" "$2"
LINKER
chmod +x "$work/wasm-ld"
MODULE=$1 "$tool" --wasm-ld-path "$work/wasm-ld" --wasi-adapter reactor -o "$2"
