"""The part of the package `requests` that scripts use most, over the host's HTTP."""

import base64
import codecs
import json as json_module
import mimetypes
import secrets as random_source
import urllib.parse
from collections.abc import Mapping
from http import HTTPStatus

import host_http

MOST_REDIRECTS = 30


class RequestException(OSError):
    def __init__(self, *arguments, request=None, response=None):
        super().__init__(*arguments)
        self.request, self.response = request, response


class HTTPError(RequestException):
    pass


class ConnectionError(RequestException):  # noqa: A001 (the name that scripts catch)
    pass


class Timeout(RequestException):
    pass


class ReadTimeout(Timeout):
    pass


class ConnectTimeout(Timeout):
    pass


class TooManyRedirects(RequestException):
    pass


class InvalidURL(RequestException, ValueError):
    pass


class JSONDecodeError(RequestException, json_module.JSONDecodeError):
    def __init__(self, text, document, position):
        json_module.JSONDecodeError.__init__(self, text, document, position)
        self.request = self.response = None


class exceptions:  # noqa: N801 (stands for a module)
    RequestException, HTTPError, ConnectionError, Timeout = RequestException, HTTPError, ConnectionError, Timeout
    ReadTimeout, ConnectTimeout, TooManyRedirects, InvalidURL = ReadTimeout, ConnectTimeout, TooManyRedirects, InvalidURL
    JSONDecodeError = JSONDecodeError


class CaseInsensitiveDict(dict):
    """Header fields."""

    def __init__(self, pairs=()):
        super().__init__()
        self.update(pairs)

    def find(self, key):
        return next((own for own in self if own.lower() == str(key).lower()), key)

    def __setitem__(self, key, value):
        super().__setitem__(self.find(key), value)

    def __getitem__(self, key):
        return super().__getitem__(self.find(key))

    def __contains__(self, key):
        return super().__contains__(self.find(key))

    def __delitem__(self, key):
        super().__delitem__(self.find(key))

    def get(self, key, default=None):
        return super().get(self.find(key), default)

    def update(self, pairs=()):
        for key, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            self[key] = value


class Response:
    def __init__(self, answer, method):
        self.status_code, self.url, self.content = answer.status, answer.url, bytes(answer.body)
        self.headers = CaseInsensitiveDict()
        for field in answer.headers:
            before = self.headers.get(field.name)
            self.headers[field.name] = field.value if before is None else f"{before}, {field.value}"
        try:
            self.reason = HTTPStatus(answer.status).phrase
        except ValueError:
            self.reason = ""
        self.encoding = self.charset()
        self.history, self.cookies, self.method = [], {}, method

    def charset(self):
        kind, *parameters = self.headers.get("content-type", "").split(";")
        for parameter in parameters:
            name, _, value = parameter.strip().partition("=")
            if name.lower() == "charset":
                return value.strip("\"' ")
        return "utf-8" if "json" in kind or not kind.startswith("text/") else None

    @property
    def ok(self):
        return self.status_code < 400

    @property
    def is_redirect(self):
        return "location" in self.headers and self.status_code in (301, 302, 303, 307, 308)

    @property
    def apparent_encoding(self):
        return "utf-8"

    @property
    def text(self):
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError:
            return self.content.decode("utf-8", "replace")
        return self.content.decode(self.encoding or "utf-8", "replace")

    def json(self, **options):
        try:
            return json_module.loads(self.content, **options)
        except json_module.JSONDecodeError as error:
            raise JSONDecodeError(error.msg, error.doc, error.pos) from None

    def raise_for_status(self):
        if not self.ok:
            whose = "Client" if self.status_code < 500 else "Server"
            raise HTTPError(f"{self.status_code} {whose} Error: {self.reason} for url: {self.url}", response=self)

    def iter_content(self, chunk_size=1, decode_unicode=False):
        size = chunk_size or len(self.content) or 1
        for start in range(0, len(self.content), size):
            yield self.content[start : start + size]

    def iter_lines(self, decode_unicode=False, **_options):
        yield from self.text.splitlines() if decode_unicode else self.content.splitlines()

    def close(self):
        pass

    def __bool__(self):
        return self.ok

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass

    def __repr__(self):
        return f"<Response [{self.status_code}]>"


def pairs(given):
    """Names and values; a value that is a list is several, one that is None is none."""
    for name, value in given.items() if isinstance(given, Mapping) else given:
        for one in value if isinstance(value, (list, tuple, set)) else [value]:
            if one is not None:
                yield name, one


def with_query(url, params):
    if not params:
        return url
    more = params if isinstance(params, str) else urllib.parse.urlencode(list(pairs(params)))
    place, mark, fragment = url.partition("#")
    return f"{place}{'&' if '?' in place else '?'}{more}{mark}{fragment}" if more else url


def encode(data, json, files):
    """The body and its media type."""
    if files:
        return multipart(data, files)
    if json is not None and not data:
        return json_module.dumps(json).encode(), "application/json"
    if data is None:
        return b"", None
    if isinstance(data, str):
        return data.encode(), None
    if isinstance(data, (bytes, bytearray)):
        return bytes(data), None
    if hasattr(data, "read"):
        read = data.read()
        return read.encode() if isinstance(read, str) else read, None
    return urllib.parse.urlencode(list(pairs(data))).encode(), "application/x-www-form-urlencoded"


def multipart(data, files):
    boundary, body = random_source.token_hex(16), bytearray()
    for name, value in pairs(data or {}):
        text = value if isinstance(value, bytes) else str(value).encode()
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + text + b"\r\n"
    for name, given in files.items() if isinstance(files, Mapping) else files:
        file, content, kind = (*given, None)[:3] if isinstance(given, tuple) else (getattr(given, "name", name), given, None)
        file = str(file).rpartition("/")[2]
        content = content.read() if hasattr(content, "read") else content
        kind = kind or mimetypes.guess_type(file)[0] or "application/octet-stream"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file}"\r\nContent-Type: {kind}\r\n\r\n'
        body += head.encode() + (content.encode() if isinstance(content, str) else content) + b"\r\n"
    return bytes(body + f"--{boundary}--\r\n".encode()), f"multipart/form-data; boundary={boundary}"


class Session:
    def __init__(self):
        self.headers = CaseInsensitiveDict({"User-Agent": "python-requests/2.32", "Accept": "*/*"})
        self.params, self.auth, self.cookies, self.verify = {}, None, {}, True

    def request(self, method, url, params=None, data=None, headers=None, cookies=None, files=None, auth=None, timeout=None,
                allow_redirects=True, proxies=None, hooks=None, stream=None, verify=None, cert=None, json=None):  # fmt: skip
        """Certificates are always checked, whatever `verify` says; the host's deadline holds, whatever `timeout` says."""
        fields = CaseInsensitiveDict(self.headers)
        fields.update(headers or {})
        body, kind = encode(data, json, files)
        if kind and "content-type" not in fields:
            fields["Content-Type"] = kind
        all_cookies = {**self.cookies, **(cookies or {})}
        if all_cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in all_cookies.items())
        login = auth or self.auth
        if isinstance(login, tuple):
            fields["Authorization"] = "Basic " + base64.b64encode(":".join(map(str, login)).encode()).decode()
        whole = with_query(with_query(url, self.params), params)
        if not whole.lower().startswith(("http://", "https://")):
            raise InvalidURL(f"Invalid URL {url!r}: it must begin with http:// or https://")
        sent = [(name, str(value)) for name, value in fields.items() if value is not None]
        try:
            answer = host_http.fetch(method.upper(), whole, sent, body, MOST_REDIRECTS if allow_redirects else 0)
        except TimeoutError as error:
            raise ReadTimeout(str(error)) from None
        except OSError as error:
            raise ConnectionError(str(error)) from None
        return Response(answer, method.upper())

    def get(self, url, **options):
        return self.request("GET", url, **options)

    def options(self, url, **options):
        return self.request("OPTIONS", url, **options)

    def head(self, url, **options):
        return self.request("HEAD", url, **{"allow_redirects": False, **options})

    def post(self, url, data=None, json=None, **options):
        return self.request("POST", url, data=data, json=json, **options)

    def put(self, url, data=None, **options):
        return self.request("PUT", url, data=data, **options)

    def patch(self, url, data=None, **options):
        return self.request("PATCH", url, data=data, **options)

    def delete(self, url, **options):
        return self.request("DELETE", url, **options)

    def mount(self, prefix, adapter):
        pass

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        pass


def session():
    return Session()


def request(method, url, **options):
    return Session().request(method, url, **options)


def get(url, params=None, **options):
    return request("GET", url, params=params, **options)


def options(url, **options):
    return request("OPTIONS", url, **options)


def head(url, **options):
    return Session().head(url, **options)


def post(url, data=None, json=None, **options):
    return request("POST", url, data=data, json=json, **options)


def put(url, data=None, **options):
    return request("PUT", url, data=data, **options)


def patch(url, data=None, **options):
    return request("PATCH", url, data=data, **options)


def delete(url, **options):
    return request("DELETE", url, **options)
