"""The tools of a script: the host hands over its source, and every listing and every call runs it afresh."""

import asyncio
import errno
import io
import json
import os
import sys
import traceback

import chiton
import described
import host_http
import requests
from wit_world.imports import call_context, log, script, tool_types

# WASI's "capabilities insufficient", which Python has no name for.
NOT_CAPABLE = 76
REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS, NOT_CAPABLE}
FAILURES = {
    chiton.InvalidArguments: tool_types.Failure_InvalidArguments,
    chiton.Denied: tool_types.Failure_Denied,
    chiton.NotFound: tool_types.Failure_NotFound,
    chiton.TimedOut: tool_types.Failure_TimedOut,
}


class Lines(io.TextIOBase):
    """A tool has no output of its own: what it prints is for its owner."""

    def __init__(self, level):
        self.level, self.pending = level, ""

    def writable(self):
        return True

    def write(self, text):
        *lines, self.pending = (self.pending + text).split("\n")
        for line in lines:
            log.write(self.level, line)
        return len(text)

    def finish(self):
        if self.pending:
            self.write("\n")


def enter():
    """Puts a tool where its files are; prints go to the log."""
    sys.stdin, sys.stdout, sys.stderr = io.StringIO(), Lines(log.Level.INFO), Lines(log.Level.WARN)
    mounts = call_context.mounts()
    if mounts:
        try:
            os.chdir(mounts[0].path)
        except OSError:
            pass  # What cannot be entered cannot be read either, and says so then.


def evaluate(new_main, remember):
    """Runs the script, which makes its tools; gives its name."""
    source = script.source()
    if source is None:
        raise chiton.Failed("the host gave this engine no script to run")
    sys.argv = [source.name]
    remember(source.name, source.text)
    names = new_main(__file__=source.name)
    names["__name__"] = "tool"
    sys.modules["tool"] = sys.modules["__main__"]
    exec(compile(source.text, source.name, "exec", dont_inherit=True), names)
    if not chiton.TOOLS:
        raise chiton.Failed(f"{source.name} has no tool; write `from chiton import tool` and @tool before a function")


def definitions():
    return [definition(one, one.about()) for one in chiton.TOOLS.values()]


def definition(one, about):
    return tool_types.Definition(one.name, about.description, json.dumps(about.schema(), ensure_ascii=False), flags(one.effects))


def flags(effects):
    all_flags = tool_types.Effects(0)
    for effect in effects:
        all_flags |= tool_types.Effects[effect.replace("-", "_").upper()]
    return all_flags


def answer(name, arguments):
    """Calls a tool; its result as parts."""
    found = chiton.TOOLS.get(name)
    if found is None:
        raise chiton.NotFound(f"this script has no tool '{name}'")
    chiton.IS_OPEN[0] = False
    try:
        given = found.about().arguments(json.loads(arguments))
    except (ValueError, TypeError) as error:
        raise chiton.InvalidArguments(str(error)) from None
    result = found.function(**given)
    if asyncio.iscoroutine(result):
        result = asyncio.run(result)
    if result is None:
        return []
    if isinstance(result, (list, tuple)) and any(isinstance(one, chiton.File) for one in result):
        return [part(one) for one in result]
    return [part(result)]


def part(value):
    if isinstance(value, str):
        return tool_types.Part_Text(value)
    if isinstance(value, chiton.File):
        blob = tool_types.Blob(value.mime, value.data)
        return tool_types.Part_Image(blob) if value.mime.startswith("image/") else tool_types.Part_File(blob)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError("bytes need a media type: return Image(data, 'image/png') or File(data, 'application/pdf')")
    return tool_types.Part_Json(json.dumps(described.plain(value), ensure_ascii=False))


def failure(error):
    """The case of the contract that an exception is, with its sentence."""
    for kind, case in FAILURES.items():
        if isinstance(error, kind):
            return case(str(error))
    if isinstance(error, chiton.Failure):
        return tool_types.Failure_Failed(str(error))
    if isinstance(error, OSError):
        return of_the_system(error) or tool_types.Failure_Failed(told(error))
    return tool_types.Failure_Failed(told(error))


def why_not_listed(error):
    failed = failure(error)
    if isinstance(failed, tool_types.Failure_Denied):
        return f"the top of {sys.argv[0]} needs {failed.value}, and has no rights"
    return failed.value.replace("\n", " ")


def of_the_system(error):
    """What an OSError means that nobody caught: a missing grant, no such file, or waiting in vain."""
    behind = error
    while behind is not None:
        if isinstance(behind, host_http.Denied):
            return tool_types.Failure_Denied(behind.grant)
        reason = getattr(behind, "reason", None)
        behind = reason if isinstance(reason, OSError) else behind.__cause__ or behind.__context__
    if isinstance(error, (TimeoutError, requests.Timeout)):
        return tool_types.Failure_TimedOut(str(error))
    if error.filename is None:
        return None
    path = os.path.normpath(os.path.join(os.getcwd(), os.fsdecode(error.filename)))
    around = [one for one in call_context.mounts() if path == one.path or path.startswith(one.path.rstrip("/") + "/")]
    if not around and not call_context.mounts() and not os.path.isabs(os.fsdecode(error.filename)):
        return tool_types.Failure_Denied("files=.:read")
    if not around:
        return tool_types.Failure_Denied(f"files={os.path.dirname(path)}:read")
    if error.errno in REFUSED and not max(around, key=lambda one: len(one.path)).writable:
        return tool_types.Failure_Denied(f"files={os.path.dirname(path)}:write")
    if isinstance(error, FileNotFoundError):
        return tool_types.Failure_NotFound(f"'{error.filename}' does not exist")
    return None


def told(error):
    """An exception in one line, with the place in the script."""
    if isinstance(error, SystemExit):
        return f"the script ended itself with {error.code!r}"
    script_name = sys.argv[0]
    if isinstance(error, SyntaxError) and error.filename == script_name:
        line = (error.text or "").strip()
        return f"{script_name}:{error.lineno}:{error.offset}: {type(error).__name__}: {error.msg}" + (f": {line}" if line else "")
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == script_name]
    return f"{text} ({script_name}:{lines[-1]})" if lines else text
