#!/usr/bin/env bash
# Builds my_skill.py with its packages as a component: ./build.sh WIT OUT.wasm, where WIT is the folder `wit` of Chiton.
# Needs python3 with venv, and PyPI the first time; ends with 127 where these are missing.
set -euo pipefail
[ $# -eq 2 ] || { echo "usage: build.sh WIT OUT.wasm" >&2; exit 2; }
wit=$(realpath "$1") out=$(realpath -m "$2")
cd "$(dirname "$0")"
[ .venv/installed -nt requirements.txt ] || { python3 -m venv .venv && .venv/bin/pip --quiet install componentize-py==0.25.1 -r requirements.txt &&
  touch .venv/installed; } || exit 127
VIRTUAL_ENV=$PWD/.venv .venv/bin/componentize-py --quiet -d "$wit" -d skill.wit -w chiton:skill/skill componentize my_skill -p . -o "$out"
# The packager leaves the interpreter's start exported as the instance `exports`, which the contract does not know: an
# empty instance, which is not exported, takes its place.
python3 - "$out" <<'PYTHON'
import re, sys
with open(sys.argv[1], "r+b") as file:
    component, count = re.subn(rb"\x0b\x0d\x01\x00\x07exports\x05.\x00", b"\x05\x03\x01\x01\x00", file.read(), flags=re.S)
    assert count == 1, "the packager's output has another form than that of version 0.25.1"
    file.seek(0)
    file.write(component)
    file.truncate()
PYTHON
