"""The entry points of the Python engine: it behaves as `python3`, and serves scripts that are tools.

This file is imported when the component is built; what is imported then is there at once in every run.
"""

import atexit
import builtins
import gc
import importlib
import io
import os
import random
import sys
import tempfile
import traceback
import types

import stored
import library  # noqa: F401 (imported for what it imports)
import host_http
import host_programs  # noqa: F401 (replaces the processes of `subprocess`)
import single_thread  # noqa: F401 (asyncio and threads without threads)
import requests  # noqa: F401 (served to scripts)
import script_tools
from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import environment, exit_code, secrets

USAGE = """usage: python3 [-c CODE | -m MODULE | FILE | -] [ARGUMENT]...
Options: -c CODE, -m MODULE, -V, -h; -u, -B, -E, -I, -s, -S, -O, -q and -W ARG change nothing here"""
USAGE_ERROR = 2
# What a shell shows for SIGPIPE: nobody reads the output any more.
BROKEN_PIPE = 141
IDLE = set("uBEIsSObdqx")


class Run(exports.Run):
    def run(self) -> None:
        arguments = prepare()
        code = finish(lambda: run(arguments))
        exit_code.end(code)


class Tools(exports.Tools):
    """The tools of the script that the host hands over."""

    def list_tools(self):
        prepare()
        real = sys.stderr
        try:
            script_tools.enter()
            script_tools.evaluate(new_main, remember)
            return script_tools.definitions()
        except BaseException as error:
            # What the host shows of a script that does not list its tools.
            print(script_tools.why_not_listed(error), file=real)
            exit_code.end(1)

    def call(self, name, arguments):
        prepare()
        script_tools.enter()
        try:
            script_tools.evaluate(new_main, remember)
            return script_tools.answer(name, arguments)
        except BaseException as error:
            raise Err(script_tools.failure(error)) from None
        finally:
            sys.stdout.finish()
            sys.stderr.finish()


class Environment(dict):
    """Variables; one that is not set and names a granted secret is the text that stands for it."""

    def __missing__(self, key):
        placeholder = secrets.placeholder(key.decode(errors="replace"))
        if placeholder is None:
            raise KeyError(key)
        return placeholder.encode()


def prepare():
    """Puts in place what belongs to this run and not to the build; gives the arguments."""
    arguments = list(environment.get_arguments()) or ["python3"]
    os.environ._data = Environment((os.fsencode(name), os.fsencode(value)) for name, value in environment.get_environment())
    directory = environment.initial_cwd()
    if directory:
        try:
            os.chdir(directory)
        except OSError:
            pass  # No file is granted.
    sys.path[:] = []
    sys.path_importer_cache.clear()
    stored.serve()
    # The state of these was frozen in the snapshot and would be the same in every run.
    random.seed()
    tempfile._name_sequence = None
    tempfile.tempdir = None
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8", errors="surrogateescape")
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(1, "w", closefd=False), 32 << 10), encoding="utf-8", errors="surrogateescape"
    )
    sys.stderr = io.TextIOWrapper(
        io.FileIO(2, "w", closefd=False), encoding="utf-8", errors="backslashreplace", write_through=True
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
    return arguments


def finish(work):
    """Runs the work to its end, exit handlers and flushes included; gives the exit code."""
    code = caught(work)
    atexit_code = caught(atexit._run_exitfuncs)
    code = code or atexit_code
    try:
        if not sys.stdout.closed:
            sys.stdout.flush()
    except BrokenPipeError:
        return code or BROKEN_PIPE
    except (OSError, ValueError):
        return code or 120
    return code


def caught(work):
    try:
        work()
    except SystemExit as end:
        if end.code is None:
            return 0
        if isinstance(end.code, int):
            return end.code & 0xFF
        flush_quietly()
        print(end.code, file=sys.stderr)
        return 1
    except BrokenPipeError:
        # What is still buffered cannot be written either.
        sys.stdout = io.StringIO()
        return BROKEN_PIPE
    except BaseException as error:
        flush_quietly()
        show(error)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def flush_quietly():
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        pass


def show(error):
    """Shows a traceback as python3 does, without the frames of the engine."""
    if sys.excepthook is not sys.__excepthook__:
        sys.excepthook(type(error), error, error.__traceback__)
        return
    first = error.__traceback__
    while first is not None and first.tb_frame.f_code.co_filename in ENGINE:
        first = first.tb_next
    traceback.print_exception(type(error), error, first)


ENGINE = {__file__, stored.__file__}


def run(arguments):
    """Does what the command line says."""
    position = 1
    while position < len(arguments) and arguments[position].startswith("-") and arguments[position] != "-":
        option = arguments[position]
        position += 1
        if option in ("-V", "--version", "-VV"):
            print("Python " + sys.version.split()[0])
            return
        if option in ("-h", "--help", "-?"):
            print(USAGE)
            return
        if option == "--":
            break
        letters = option[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in "cmWX":
                if not letters:
                    if position >= len(arguments):
                        usage_error(f"Argument expected for the -{letter} option")
                    letters = arguments[position]
                    position += 1
                if letter == "c":
                    return run_code(letters, arguments[position:])
                if letter == "m":
                    return run_module(letters, arguments[position:])
                letters = ""
            elif letter not in IDLE:
                usage_error(f"unknown option -{letter}")
    run_file(arguments[position] if position < len(arguments) else "-", arguments[position + 1 :])


def usage_error(text):
    print(f"{text}\n{USAGE}", file=sys.stderr)
    raise SystemExit(USAGE_ERROR)


def new_main(**names):
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, **names)
    sys.modules["__main__"] = main
    return main.__dict__


def remember(name, source):
    """Lets tracebacks show the lines of code that is in no file."""
    import linecache

    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)


def run_code(code, rest):
    sys.argv = ["-c", *rest]
    sys.path.insert(0, "")
    remember("<string>", code)
    exec(compile(code, "<string>", "exec"), new_main())


def run_file(name, rest):
    sys.argv = [name, *rest]
    if name == "-":
        sys.path.insert(0, "")
        source = sys.stdin.buffer.read()
        remember("<stdin>", source.decode(errors="replace"))
        exec(compile(source, "<stdin>", "exec"), new_main())
        return
    if os.path.isdir(name):
        folder, name = name, os.path.join(name, "__main__.py")
        sys.path.insert(0, os.path.abspath(folder))
    else:
        sys.path.insert(0, os.path.dirname(os.path.abspath(name)))
    try:
        with open(name, "rb") as file:
            source = file.read()
    except OSError as error:
        print(f"python3: can't open file '{os.path.abspath(name)}': [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        raise SystemExit(USAGE_ERROR) from None
    exec(compile(source, name, "exec"), new_main(__file__=name))


def run_module(name, rest):
    sys.argv = ["-m", *rest]
    sys.path.insert(0, os.getcwd())
    found = stored.code_of(name) or stored.code_of(name + ".__main__")
    if found is None:
        import runpy

        try:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        except ImportError as error:
            if error.name not in (None, name):
                raise
            print(f"python3: {error}", file=sys.stderr)
            raise SystemExit(1) from None
        return
    is_main = stored.is_package(name)
    sys.argv[0] = name
    exec(found, new_main(__package__=name if is_main else name.rpartition(".")[0], __file__=name))


# What was made while building is not looked at by every run's collector.
gc.collect()
gc.freeze()
importlib.invalidate_caches()
