#!/usr/bin/env bash
# Builds the Python engine, which is CPython started, with its library imported, and kept as a component:
#   tools/programs/python/build.sh OUT.wasm
# Needs python3 with venv, and PyPI the first time (about 50 MB); ends with 127 where these are missing. Later builds need
# no network.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: build.sh OUT.wasm" >&2; exit 2; }
out=$(realpath -m "$1")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
venv=${CARGO_TARGET_DIR:-$root/target}/componentize-py
packager=componentize-py==0.25.1

if [ "$("$venv/bin/componentize-py" --version 2>/dev/null)" != "componentize-py ${packager#*==}" ]; then
  python3 -m venv "$venv" || { echo "python: python3 with its module venv is needed (Debian: apt-get install python3-venv)" >&2; exit 127; }
  "$venv/bin/pip" --quiet --disable-pip-version-check install "$packager" ||
    { echo "python: $packager cannot be installed; connect to the network (PyPI) and run this again" >&2; exit 127; }
fi
mkdir -p "$(dirname "$out")"
# The packager adds the packages of the environment; this one has none of the machine's.
VIRTUAL_ENV=$venv "$venv/bin/componentize-py" --quiet -d "$root/wit" -d "$here/python.wit" -w chiton:python/python \
  componentize app -p "$here/src" -o "$out"
# The packager leaves the function that started the interpreter exported, as the instance `exports`. The host takes
# only what the contract names, so an empty instance, which is not exported, takes its place.
python3 - "$out" <<'PYTHON'
import re, sys
with open(sys.argv[1], "r+b") as file:
    component, count = re.subn(rb"\x0b\x0d\x01\x00\x07exports\x05.\x00", b"\x05\x03\x01\x01\x00", file.read(), flags=re.S)
    assert count == 1, "the packager's output has another form than that of version 0.25.1"
    file.seek(0)
    file.write(component)
    file.truncate()
PYTHON
