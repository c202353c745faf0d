#!/bin/sh
# Writes component-type.section anew, after sdk/c/generate.sh has run: the same section of the same world, without the
# object file that C's linker wants around it. For maintainers of the SDK; needs python3.
set -eu
cd "$(dirname "$0")"
python3 - ../c/chiton_component_type.o component-type.section <<'PYTHON'
import sys

def number(at):
    """A LEB128 number, and where it ends."""
    value, shift = 0, 0
    while True:
        byte, at = module[at], at + 1
        value, shift = value | (byte & 0x7F) << shift, shift + 7
        if byte < 0x80:
            return value, at

module = open(sys.argv[1], "rb").read()
begin = 8
while begin < len(module):
    length, inside = number(begin + 1)
    end = inside + length
    if module[begin] == 0:
        _, name = number(inside)
        if module[name:].startswith(b"component-type"):
            open(sys.argv[2], "wb").write(module[begin:end])
            sys.exit()
    begin = end
sys.exit("there is no section component-type")
PYTHON
