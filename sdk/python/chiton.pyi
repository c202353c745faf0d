"""What makes a script a tool: `from chiton import tool`."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar, overload

Effect = Literal[
    "reads-files", "writes-files", "uses-network", "runs-programs", "sends-messages", "schedules", "spawns", "destructive"
]
Function = TypeVar("Function", bound=Callable[..., object])

@overload
def tool(function: Function) -> Function:
    """Makes a function a tool; at the top of the script only. A coroutine function is run to its end."""

@overload
def tool(*, name: str | None = None, description: str | None = None, effects: Sequence[Effect] = ()) -> Callable[[Function], Function]:
    """Without `name` it is the function's, without `description` the first paragraph of its docstring."""

def progress(text: object) -> None:
    """Shows the user one line about how far the call is."""

def secret(name: str) -> str:
    """Text that stands for a granted secret where its grant allows: the host puts the value in its place."""

class log:
    """Lines for the owner, which the model never sees. `print` writes there too."""

    @staticmethod
    def debug(text: object, *values: object) -> None: ...
    @staticmethod
    def info(text: object, *values: object) -> None: ...
    @staticmethod
    def warn(text: object, *values: object) -> None: ...
    @staticmethod
    def warning(text: object, *values: object) -> None: ...
    @staticmethod
    def error(text: object, *values: object) -> None: ...

class File:
    """A file as a result, or as one part of a list."""

    def __init__(self, data: bytes, mime: str = "application/octet-stream") -> None: ...

class Image(File):
    """A picture for the model."""

    def __init__(self, data: bytes, mime: str = "image/png") -> None: ...

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
    """Anything else, without the place in the script."""
