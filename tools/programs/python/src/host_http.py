"""http.client and urllib.request over the host's HTTP.

A connection collects what is sent, asks the host once, and reads the answer as if it came from a socket.
"""

import http.client
import io
import urllib.error
import urllib.request

from componentize_py_types import Err
from wit_world.imports import http as host
from wit_world.imports import tool_types

# The host has dealt with these: what comes is the whole body, decoded.
ABOUT_THE_WIRE = {"content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive"}


class Denied(PermissionError):
    """A grant is missing."""

    def __init__(self, grant):
        super().__init__(f"denied: the grant {grant} is missing")
        self.grant = grant


def fetch(method, url, headers, body, redirects=0):
    """Sends one request; failures are the exceptions of the library."""
    fields = [host.Header(name, value) for name, value in headers]
    try:
        return host.fetch(host.Request(method, url, fields, bytes(body or b""), redirects))
    except Err as failure:
        raise as_exception(failure.value) from None


def as_exception(failure):
    if isinstance(failure, tool_types.Failure_Denied):
        return Denied(failure.value)
    if isinstance(failure, tool_types.Failure_TimedOut):
        return TimeoutError(failure.value)
    if isinstance(failure, tool_types.Failure_InvalidArguments):
        return http.client.InvalidURL(failure.value)
    return ConnectionError(failure.value)


class Answer:
    """Stands for the socket that an `HTTPResponse` reads from."""

    def __init__(self, response):
        reason = http.client.responses.get(response.status, "")
        lines = [f"HTTP/1.1 {response.status} {reason}"]
        lines += [f"{field.name}: {field.value}" for field in response.headers if field.name.lower() not in ABOUT_THE_WIRE]
        lines += [f"Content-Length: {len(response.body)}", "", ""]
        self.stream = io.BytesIO("\r\n".join(lines).encode("latin-1", "replace") + bytes(response.body))

    def makefile(self, *_arguments, **_options):
        return self.stream


class HTTPConnection(http.client.HTTPConnection):
    scheme = "http"

    def __init__(self, host, port=None, timeout=None, source_address=None, blocksize=8192, **_tls):
        super().__init__(host, port, blocksize=blocksize)

    def connect(self):
        """Nothing is connected before the request is complete."""

    def close(self):
        self.sock = None

    def putrequest(self, method, url, skip_host=False, skip_accept_encoding=False):
        self.pending = [method, url, [], bytearray()]

    def putheader(self, header, *values):
        text = [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in values]
        name = header.decode("latin-1") if isinstance(header, bytes) else header
        if name.lower() not in ABOUT_THE_WIRE and name.lower() not in ("host", "accept-encoding"):
            self.pending[2].append((name, ", ".join(text)))

    def endheaders(self, message_body=None, *, encode_chunked=False):
        if message_body is not None:
            self.send(message_body)

    def send(self, data):
        if hasattr(data, "read"):
            data = data.read()
        if isinstance(data, str):
            data = data.encode("latin-1")
        self.pending[3] += data if isinstance(data, (bytes, bytearray, memoryview)) else b"".join(data)

    def getresponse(self):
        method, path, headers, body = self.pending
        place = self.host if ":" not in self.host else f"[{self.host}]"
        port = "" if self.port == self.default_port else f":{self.port}"
        url = path if "://" in path else f"{self.scheme}://{place}{port}{path}"
        answer = fetch(method, url, headers, body)
        response = http.client.HTTPResponse(Answer(answer), method=method, url=url)
        response.begin()
        return response


class HTTPSConnection(HTTPConnection):
    scheme = "https"
    default_port = 443


class HTTPSHandler(urllib.request.AbstractHTTPHandler):
    """The library has one only where it has its own TLS; here the host has it."""

    def __init__(self, debuglevel=None, context=None, check_hostname=None):
        super().__init__(debuglevel)

    def https_open(self, request):
        return self.do_open(HTTPSConnection, request)

    https_request = urllib.request.AbstractHTTPHandler.do_request_


http.client.HTTPConnection = HTTPConnection
http.client.HTTPSConnection = HTTPSConnection
urllib.request.HTTPSHandler = HTTPSHandler
build_own = urllib.request.build_opener


def build_opener(*handlers):
    has_own = any(isinstance(one, HTTPSHandler) or one is HTTPSHandler for one in handlers)
    return build_own(*handlers) if has_own else build_own(HTTPSHandler, *handlers)


urllib.request.build_opener = build_opener
# Proxies are the host's business.
urllib.request.getproxies = dict
