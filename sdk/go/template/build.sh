#!/bin/sh
# Builds the package in this folder to my-skill.wasm.
set -eu
cd "$(dirname "$0")"
exec sh "${CHITON_SDK_GO:-../../go}/build.sh" my-skill.wasm .
