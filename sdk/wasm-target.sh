#!/usr/bin/env bash
# Makes it possible to build guests: a Rust compiler with the standard library for wasm32-wasip2.
#   sdk/wasm-target.sh
# 1. The current toolchain has the target, or rustup can fetch it: nothing else is needed.
# 2. Otherwise the library is built once from Debian's packages into
#    ${XDG_DATA_HOME:-~/.local/share}/chiton/wasm-toolchain, where chiton-build finds it.
# WASM_TARGET_FROM=debian takes the second way at once. Quick when there is nothing to do.
set -euo pipefail

target=wasm32-wasip2
prefix=${XDG_DATA_HOME:-$HOME/.local/share}/chiton/wasm-toolchain
packages=(rustc-web cargo-web rust-web-src wasi-libc)

say() { printf 'wasm-target: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

has_target() { # RUSTC
  local libdir
  libdir=$("$1" --print target-libdir --target "$target" 2>/dev/null) || return 1
  compgen -G "$libdir/libstd-*.rlib" >/dev/null
}

from_rustup() {
  command -v rustup >/dev/null || return 1
  say "adding $target with rustup"
  timeout 180 rustup target add "$target" >&2 && has_target rustc
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "'$*' needs root and there is no sudo; run it as root, then run this again"
  fi
}

install_packages() { # PACKAGE...
  command -v apt-get >/dev/null ||
    fail "rustup cannot fetch $target and this is no Debian; connect to the network and run 'rustup target add $target'"
  as_root apt-get update -q >&2 || true # an older list may do
  as_root apt-get install -yq --no-install-recommends "$@" >&2 ||
    fail "apt-get cannot install '$*'; make these packages available, or rustup's target $target"
}

# wasm-component-ld and the wasm-ld that it calls; rustc puts their folder on the linker's path.
linker_tools() { # FOLDER HOST
  local rustup_rustc bundled lld
  if rustup_rustc=$(rustup which rustc 2>/dev/null); then
    bundled=$(dirname "$(dirname "$rustup_rustc")")/lib/rustlib/$2/bin
    # A link, not a copy: rust-lld loads its own toolchain's libLLVM.
    if [ -x "$bundled/wasm-component-ld" ]; then ln -s "$bundled" "$1"; return; fi
  fi
  mkdir -p "$1"
  lld=$(compgen -G '/usr/lib/llvm-*/bin/wasm-ld' | sort -V | tail -1) || true
  if [ -z "$lld" ]; then
    install_packages lld
    lld=$(compgen -G '/usr/lib/llvm-*/bin/wasm-ld' | sort -V | tail -1) || fail "Debian's package lld brought no wasm-ld"
  fi
  ln -s "$lld" "$1/wasm-ld"
  say "building wasm-component-ld once (a few minutes)"
  /usr/bin/cargo install -q --locked wasm-component-ld --root "$1/.made" >&2 ||
    fail "cargo cannot fetch or build wasm-component-ld; connect to the network and run this again"
  mv "$1/.made/bin/wasm-component-ld" "$1/" && rm -rf "$1/.made"
}

# The standard library, built by an empty package that only wants it.
build_std() { # PREFIX
  local work file
  work=$(mktemp -d)
  mkdir "$work/src" && : >"$work/src/lib.rs"
  printf '[package]\nname = "nothing"\nversion = "0.0.0"\nedition = "2021"\n[profile.release]\ncodegen-units = 1\n' >"$work/Cargo.toml"
  say "building the standard library for $target once (about a minute)"
  # RUSTC_BOOTSTRAP allows -Zbuild-std here and only here; without bitcode guests could not use lto.
  (cd "$work" && RUSTC_BOOTSTRAP=1 RUSTC="$1/bin/rustc" RUSTFLAGS="-Cembed-bitcode=yes" \
    __CARGO_TESTS_ONLY_SRC_ROOT=/usr/lib/rustlib/src/rust/library CARGO_TARGET_DIR="$work/target" \
    /usr/bin/cargo build -q --release --target "$target" -Zbuild-std=std,panic_abort >&2) ||
    { rm -rf "$work"; fail "Debian's standard library does not build for $target; see the messages above"; }
  for file in "$work/target/$target/release/deps/"lib*.rlib; do
    case $file in */libnothing-*) ;; *) cp "$file" "$1/lib/rustlib/$target/lib/" ;; esac
  done
  rm -rf "$work"
}

# Debian's libc is older than the standard library and lacks realpath, which std::fs::canonicalize needs:
# a function that always fails joins it. rustc writes the archive, since GNU ar cannot index wasm.
complete_libc() { # PREFIX
  local lib=$1/lib/rustlib/$target/lib/self-contained work
  work=$(mktemp -d)
  cat >"$work/libc.rs" <<'RUST'
#![no_std]
#[link(name = "c", kind = "static")]
unsafe extern "C" {}
#[unsafe(no_mangle)]
pub extern "C" fn realpath(_path: *const u8, _resolved: *mut u8) -> *mut u8 {
    core::ptr::null_mut()
}
RUST
  "$1/bin/rustc" --edition 2024 --crate-type rlib --target "$target" -O -C panic=abort \
    -L "native=$lib" -o "$work/libc.a" "$work/libc.rs" ||
    { rm -rf "$work"; fail "Debian's wasi-libc cannot be completed; see the messages above"; }
  mv "$work/libc.a" "$lib/libc.a"
  rm -rf "$work"
}

from_debian() {
  local package stamp host made
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || { install_packages "${packages[@]}"; break; }
  done
  # What the result is made of, this script included.
  stamp="$(/usr/bin/rustc --version) $(dpkg-query -W -f '${Version}' wasi-libc) $(cksum <"$0")"
  if [ "$(cat "$prefix/stamp" 2>/dev/null)" = "$stamp" ] && has_target "$prefix/bin/rustc"; then return; fi
  host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')

  made=$prefix.new
  rm -rf "$made" && mkdir -p "$made"/{bin,lib/rustlib/"$host",lib/rustlib/"$target"/lib/self-contained}
  linker_tools "$made/lib/rustlib/$host/bin" "$host"
  # A compiler with a sysroot of its own; the wrapper finds it beside itself.
  cat >"$made/bin/rustc" <<'WRAPPER'
#!/bin/sh
exec /usr/bin/rustc --sysroot "$(dirname "$(dirname "$0")")" "$@"
WRAPPER
  chmod +x "$made/bin/rustc"
  ln -s /usr/bin/cargo /usr/bin/rustdoc "$made/bin/"
  ln -s "/usr/lib/rustlib/$host/lib" "$made/lib/rustlib/$host/lib"
  cp /usr/lib/wasm32-wasi/{crt1-command.o,crt1-reactor.o,libc.a} "$made/lib/rustlib/$target/lib/self-contained/"
  build_std "$made"
  complete_libc "$made"
  echo "$stamp" >"$made/stamp"
  rm -rf "$prefix" && mv "$made" "$prefix" # whole or not at all
}

if [ "${WASM_TARGET_FROM:-}" != debian ]; then
  if has_target rustc || from_rustup; then exit 0; fi
  say "rustup cannot add $target; taking Debian's packages instead"
fi
from_debian
