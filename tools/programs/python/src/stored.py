"""The whole standard library, compiled: there are no files of it at run time.

What `library` imports is there at once. Everything else is kept here as compressed code and imported on demand.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import marshal
import os
import sys
import zlib

# Tests, other front ends, and what cannot work without processes, threads, terminals or a screen.
LEFT_OUT = {
    "test", "idlelib", "tkinter", "turtledemo", "turtle", "lib2to3", "ensurepip", "venv", "site-packages", "__pycache__",
    "curses", "dbm", "multiprocessing", "pydoc_data", "_pyrepl", "__phello__", "unittest.test", "antigravity", "this",
    "_android_support", "_apple_support", "_ios_support", "webbrowser", "smtplib", "imaplib", "poplib", "ftplib", "socketserver",
}  # fmt: skip


def read_library(folder, prefix=""):
    """Yields name, whether it is a package, and compressed code of every module below the folder."""
    for entry in sorted(os.listdir(folder)):
        path, stem = os.path.join(folder, entry), entry.removesuffix(".py")
        name = prefix + stem
        if name in LEFT_OUT or entry in LEFT_OUT:
            continue
        initial = os.path.join(path, "__init__.py")
        is_package = os.path.isfile(initial)
        if is_package:
            yield from read_library(path, name + ".")
        elif not entry.endswith(".py") or entry == "__init__.py":
            continue
        file = initial if is_package else path
        with open(file, "rb") as source:
            try:
                code = compile(source.read(), f"<library {name}>", "exec", dont_inherit=True)
            except SyntaxError:
                continue
        yield name, is_package, zlib.compress(marshal.dumps(code), 9)


# `os` itself is frozen and names a folder that is not there.
ROOT = os.path.dirname(os.path.dirname(json.__file__))
LIBRARY = {name: (is_package, code) for name, is_package, code in read_library(ROOT)}


def code_of(name):
    """The code of a stored module that can be run, or None. Of a package, nothing."""
    is_package, code = LIBRARY.get(name, (True, None))
    return None if is_package else marshal.loads(zlib.decompress(code))


def is_package(name):
    return LIBRARY.get(name, (False, None))[0]


class Finder(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports stored modules."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in LIBRARY:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=LIBRARY[fullname][0])

    def get_code(self, fullname):
        return marshal.loads(zlib.decompress(LIBRARY[fullname][1]))

    def get_source(self, fullname):
        return None

    def is_package(self, fullname):
        return LIBRARY[fullname][0]


FINDER = Finder()


def serve():
    """Puts the stored library behind the script's own modules."""
    if FINDER not in sys.meta_path:
        sys.meta_path.append(FINDER)
