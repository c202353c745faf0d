#!/bin/sh
# Builds tool.c to my-skill.wasm; further .c files are added at the end of the line.
set -eu
cd "$(dirname "$0")"
exec sh "${CHITON_SDK_C:-../../c}/build.sh" my-skill.wasm tool.c
