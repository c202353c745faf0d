#!/usr/bin/env bash
# The registry that the tests of chiton-registry push to and pull from: Debian's docker-registry, unpacked and not installed.
#   host/registry/tests/docker-registry.sh
# Quick when there is nothing to do. Needs no root.
set -euo pipefail

package=docker-registry
place=$(cd "$(dirname "$0")/../../.." && pwd)/target/$package

say() { printf '%s: %s\n' "$package" "$*" >&2; }

if [ -x "$place/usr/bin/$package" ] || command -v "$package" >/dev/null; then exit 0; fi
command -v apt-get >/dev/null ||
  { say "this is no Debian; install $package 2.8 or later so that it is in PATH"; exit 1; }

mkdir -p "$(dirname "$place")"
work=$(mktemp -d "$place.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# apt checks the signature. An older list may name a package that is no longer there.
download() { apt-get -o APT::Sandbox::User=root download -q "$package" >&2; }
download || { [ "$(id -u)" = 0 ] && apt-get update -q >&2 && download; } ||
  { say "it cannot be fetched; connect to the network, run 'apt-get update' as root, then run this again"; exit 1; }
dpkg -x "$package"_*.deb unpacked

# Whoever else ran this at the same time has unpacked the same.
rm -rf "$place"
mv -T unpacked "$place" 2>/dev/null || [ -x "$place/usr/bin/$package" ]
say "unpacked into $place"
