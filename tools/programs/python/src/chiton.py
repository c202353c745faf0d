"""What makes a script a tool: `from chiton import tool, progress, log, secret, NotFound`."""

import described
from wit_world.imports import log as host_log
from wit_world.imports import progress as host_progress
from wit_world.imports import secrets as host_secrets

# As the contract names them, and as it writes them.
EFFECTS = ("reads-files", "writes-files", "uses-network", "runs-programs", "sends-messages", "schedules", "spawns", "destructive")  # fmt: skip

TOOLS = {}
# Tools cannot be added once one is called.
IS_OPEN = [True]


class Failure(Exception):
    """Why a call gives no result, in one sentence for the model."""


class InvalidArguments(Failure):
    """The arguments make no sense."""


class Denied(Failure):
    """A right is missing; the text is the grant, such as `files=/home/ann/notes:read`."""


class NotFound(Failure):
    """What the call names does not exist."""


class TimedOut(Failure):
    """Something did not come in time."""


class Failed(Failure):
    """Anything else."""


class File:
    """A file as a result, or as one part of a list."""

    def __init__(self, data, mime="application/octet-stream"):
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"{type(self).__name__} takes bytes, not {type(data).__name__}")
        self.data, self.mime = bytes(data), str(mime)


class Image(File):
    """A picture for the model."""

    def __init__(self, data, mime="image/png"):
        super().__init__(data, mime)


class Tool:
    def __init__(self, function, name, description, effects):
        self.function = function
        self.name = name or function.__name__
        self.description = description
        for effect in effects:
            if effect not in EFFECTS:
                raise ValueError(f"tool '{self.name}' has the unknown effect '{effect}'; there are {', '.join(EFFECTS)}")
        self.effects = list(effects)

    def about(self):
        """What it says of itself: worked out for the tool that is called, and for all only where they are listed."""
        return described.Function(self.function, self.name, self.description)


def tool(function=None, *, name=None, description=None, effects=()):
    """Makes a function a tool: `@tool`, or `@tool(effects=["uses-network"])`."""
    if function is None:
        return lambda function: tool(function, name=name, description=description, effects=effects)
    if not callable(function):
        raise TypeError("@tool stands before a function; write its options by name, such as @tool(name='weather')")
    if not IS_OPEN[0]:
        raise RuntimeError("@tool is for the top of the script: tools cannot be added later")
    made = Tool(function, name, description, effects)
    if made.name in TOOLS:
        raise ValueError(f"there is already a tool '{made.name}' in this script")
    TOOLS[made.name] = made
    return function


def progress(text):
    """Shows the user one line about how far the call is."""
    host_progress.report(str(text))


def secret(name):
    """Text that stands for a granted secret where its grant allows: the host puts the value in its place."""
    placeholder = host_secrets.placeholder(str(name))
    if placeholder is None:
        raise Denied(f"secrets={name}")
    return placeholder


class log:  # noqa: N801 (stands for a module)
    """Lines for the owner, which the model never sees."""

    @staticmethod
    def debug(text, *values):
        write(host_log.Level.DEBUG, text, values)

    @staticmethod
    def info(text, *values):
        write(host_log.Level.INFO, text, values)

    @staticmethod
    def warn(text, *values):
        write(host_log.Level.WARN, text, values)

    @staticmethod
    def error(text, *values):
        write(host_log.Level.ERROR, text, values)


log.warning = log.warn


def write(level, text, values):
    host_log.write(level, str(text) % values if values else str(text))


__all__ = ["tool", "progress", "log", "secret", "Image", "File", "Failure", "InvalidArguments", "Denied", "NotFound", "TimedOut", "Failed"]  # fmt: skip
