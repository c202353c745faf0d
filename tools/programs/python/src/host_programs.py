"""subprocess over the host's programs: each runs in the sandbox beside this one, with no more rights."""

import io
import os
import signal
import subprocess
import time

from componentize_py_types import Err
from wit_world.imports import poll, programs, stderr, stdin, stdout, streams, tool_types

PIECE = 32 << 10


def stream_errors(work):
    """Runs one operation of a stream; None when the other end is gone."""
    try:
        return work()
    except Err as failure:
        if isinstance(failure.value, streams.StreamError_Closed):
            return None
        raise BrokenPipeError(32, "Broken pipe") from None


class Reader(io.RawIOBase):
    """The end of a pipe that this program reads."""

    def __init__(self, stream):
        self.stream = stream

    def readable(self):
        return True

    def readinto(self, buffer):
        if self.stream is None:
            return 0
        data = b""
        while data == b"":
            data = stream_errors(lambda: self.stream.blocking_read(len(buffer)))
        data = data or b""
        buffer[: len(data)] = data
        return len(data)

    def close(self):
        if not self.closed and self.stream is not None:
            self.stream.__exit__(None, None, None)
            self.stream = None
        super().close()


class Writer(io.RawIOBase):
    """The end of a pipe that this program writes."""

    def __init__(self, stream):
        self.stream = stream

    def writable(self):
        return True

    def write(self, data):
        piece = bytes(data[:4096])
        if stream_errors(lambda: (self.stream.blocking_write_and_flush(piece), True)) is None:
            raise BrokenPipeError(32, "Broken pipe")
        return len(piece)

    def close(self):
        if not self.closed and self.stream is not None:
            self.stream.__exit__(None, None, None)
            self.stream = None
        super().close()


def drain_file(file):
    return file.read() if hasattr(file, "read") else os.fdopen(os.dup(file), "rb").read()


class Popen:
    """As `subprocess.Popen`, for programs that the host runs. Files as output are filled when the program has ended."""

    def __init__(self, args, bufsize=-1, executable=None, stdin=None, stdout=None, stderr=None, preexec_fn=None,
                 close_fds=True, shell=False, cwd=None, env=None, universal_newlines=None, text=None, encoding=None,
                 errors=None, **_others):  # fmt: skip
        if shell:
            args = ["sh", "-c", args] if isinstance(args, str) else ["sh", "-c", *args]
        elif isinstance(args, (str, os.PathLike)):
            args = [args]
        self.args = args
        self.text_mode = bool(text or universal_newlines or encoding or errors)
        self.encoding, self.errors = encoding or "utf-8", errors or "strict"
        self.returncode, self.pid = None, 1
        self.stdin = self.stdout = self.stderr = None
        self.fills = []
        inner_in = self.open_input(stdin)
        inner_out, self.stdout, shared = self.open_output(stdout, 1, None)
        inner_err, self.stderr, _ = self.open_output(stderr, 2, shared if stderr == subprocess.STDOUT else None, inner_out)
        variables = os.environ if env is None else env
        command = programs.Command(
            [os.fsdecode(word) for word in args],
            [(os.fsdecode(name), os.fsdecode(value)) for name, value in variables.items()],
            os.path.abspath(cwd) if cwd else os.getcwd(),
        )
        try:
            self.process = programs.spawn(command, inner_in, inner_out, inner_err)
        except Err as failure:
            raise self.as_exception(failure.value) from None

    def as_exception(self, failure):
        name = os.fsdecode(self.args[0])
        if isinstance(failure, tool_types.Failure_NotFound):
            return FileNotFoundError(2, "No such file or directory", name)
        if isinstance(failure, tool_types.Failure_Denied):
            return PermissionError(13, f"denied: the grant {failure.value} is missing", name)
        return OSError(5, failure.value, name)

    def pipe(self):
        try:
            return programs.pipe()
        except Err as failure:
            raise self.as_exception(failure.value) from None

    def wrap(self, raw):
        buffered = io.BufferedReader(raw) if isinstance(raw, Reader) else io.BufferedWriter(raw)
        return io.TextIOWrapper(buffered, self.encoding, self.errors) if self.text_mode else buffered

    def open_input(self, given):
        if given is None:
            return stdin.get_stdin()
        reading, writing = self.pipe()
        if given == subprocess.PIPE:
            self.stdin = self.wrap(Writer(writing))
        elif given == subprocess.DEVNULL:
            writing.__exit__(None, None, None)
        else:
            self.given_input = (Writer(writing), drain_file(given))
        return reading

    given_input = None

    def open_output(self, given, number, shared, beside=None):
        if shared is not None or given == subprocess.STDOUT:
            return programs.share_output(beside), None, None
        if given is None:
            return (stdout.get_stdout() if number == 1 else stderr.get_stderr()), None, True
        reading, writing = self.pipe()
        reader = Reader(reading)
        if given == subprocess.PIPE:
            return writing, self.wrap(reader), True
        self.fills.append((reader, None if given == subprocess.DEVNULL else given))
        return writing, None, True

    def communicate(self, input=None, timeout=None):
        """Feeds and drains all pipes at once, so that a program that waits for one of them goes on."""
        if self.given_input is not None:
            writer, data = self.given_input
        elif self.stdin is not None:
            writer = self.stdin.buffer.raw if self.text_mode else self.stdin.raw
            data = (input or "").encode(self.encoding, self.errors) if isinstance(input, str) else (input or b"")
        else:
            writer, data = None, b""
        raw = {}
        for name in ("stdout", "stderr"):
            file = getattr(self, name)
            if file is not None:
                raw[name] = file.buffer.raw if self.text_mode else file.raw
        for index, (reader, _) in enumerate(self.fills):
            raw[index] = reader
        got = exchange(writer, data, raw, None if timeout is None else time.monotonic() + timeout)
        if got is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        for index, (_, target) in enumerate(self.fills):
            store(target, got[index])
        self.fills, self.given_input = [], None
        self.wait_for_end()
        return tuple(self.decoded(got[name]) if name in got else None for name in ("stdout", "stderr"))

    def decoded(self, data):
        return data.decode(self.encoding, self.errors).replace("\r\n", "\n") if self.text_mode else data

    def wait_for_end(self):
        if self.returncode is None:
            try:
                self.returncode = self.process.wait()
            except Err as failure:
                raise self.as_exception(failure.value) from None
        return self.returncode

    def wait(self, timeout=None):
        if self.fills or self.given_input is not None:
            self.communicate(timeout=timeout)
        return self.wait_for_end()

    def poll(self):
        # The host tells of an end only to those who wait.
        return self.wait() if self.stdin is None or self.stdin.closed else None

    def kill(self):
        self.process.kill()

    terminate = kill

    def send_signal(self, number):
        if number in (signal.SIGTERM, signal.SIGINT, getattr(signal, "SIGKILL", 9)):
            self.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        for file in (self.stdin, self.stdout, self.stderr):
            if file is not None:
                try:
                    file.close()
                except BrokenPipeError:
                    pass
        self.wait()

    def __class_getitem__(cls, _item):
        return cls


def store(target, data):
    if target is None:
        return
    if hasattr(target, "fileno"):
        target.flush()
        target = target.fileno()
    os.write(target, data) if len(data) < PIECE else write_all(target, data)


def write_all(number, data):
    while data:
        data = data[os.write(number, data) :]


def exchange(writer, data, readers, deadline):
    """Writes the data and reads all readers to their ends; gives what was read, or None after the deadline."""
    got = {name: bytearray() for name in readers}
    open_readers = dict(readers)
    if writer is not None and not data:
        writer.close()
        writer = None
    while open_readers or writer is not None:
        moved = False
        if writer is not None:
            room = stream_errors(writer.stream.check_write)
            if room is None:
                data = b""
            elif room:
                piece, data = data[: min(room, PIECE)], data[min(room, PIECE) :]
                moved = stream_errors(lambda: (writer.stream.write(bytes(piece)), writer.stream.flush(), True)) is not None
            if not data:
                writer.close()
                writer, moved = None, True
        for name, reader in list(open_readers.items()):
            piece = stream_errors(lambda: reader.stream.read(PIECE))
            if piece is None:
                del open_readers[name]
                reader.close()
                moved = True
            elif piece:
                got[name] += piece
                moved = True
        if moved:
            continue
        if deadline is not None and time.monotonic() > deadline:
            return None
        waiting = [reader.stream.subscribe() for reader in open_readers.values()]
        if writer is not None:
            waiting.append(writer.stream.subscribe())
        poll.poll(waiting)
        for one in waiting:
            one.__exit__(None, None, None)
    return {name: bytes(piece) for name, piece in got.items()}


subprocess.Popen = Popen
subprocess._USE_POSIX_SPAWN = False


def system(command):
    """As `os.system`."""
    return subprocess.call(command, shell=True) << 8


def popen(command, mode="r", buffering=-1):
    """As `os.popen`, for reading."""
    return io.StringIO(subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True).stdout)


os.system, os.popen = system, popen
