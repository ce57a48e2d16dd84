"""HTTP requests to the server, over a connection that is kept open. One deadline covers the whole exchange."""

import email.utils
import http.client
import io
import json
import os
import socket
import ssl
import time
import urllib.parse
from typing import Any, Callable, Dict, Optional, Union

from .backoff import backoff as backoff  # This module had it first; it stays importable from here.
from .errors import TaskApiError, problems_of

#: A bearer token, or a function that returns it. The function is called before each request.
Token = Union[str, Callable[[], str]]

# Seconds that opening a connection may take.
CONNECT = 5.0
# Seconds after which an idle connection is not used again. Node.js closes it after five, and a firewall that has
# forgotten it drops packets without a word.
REST = 4.0
# Bytes that an answer may have. The server itself stops at about 8 MiB.
LONGEST_ANSWER = 256 * 1024 * 1024


class Server:
    """The address of the server, and the token for it."""

    def __init__(self, base_url: str, token: Token):
        url = urllib.parse.urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("base_url must be an http:// or https:// URL, not %r" % (base_url,))
        self._tls = ssl.create_default_context() if url.scheme == "https" else None
        # Without a port, http.client takes the last part of an IPv6 address for the port.
        self._host, self._port = url.hostname, url.port or (443 if self._tls else 80)
        self.path, self._token = url.path.rstrip("/"), token
        if isinstance(token, str):
            self.bearer()

    def connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)

    def bearer(self) -> str:
        """The value of the Authorization header."""
        token = (self._token() if callable(self._token) else self._token).strip()
        if not (token.isascii() and token.isprintable()):
            raise ValueError("token must be printable ASCII, since an HTTP header carries it")
        return "Bearer " + token


class Connection:
    """A connection to the server that is reused, and opened again where needed.

    One thread at a time may use it. A forked process opens a connection of its own.
    """

    def __init__(self, server: Server):
        self._server, self._process = server, os.getpid()
        self._connection: Optional[http.client.HTTPConnection] = None
        self._used_at = 0.0
        # The connection of a request that interrupt() may cut off.
        self._poll: Optional[http.client.HTTPConnection] = None
        self._interrupted = False
        #: Whether the last request was sent twice.
        self.resent = False
        #: Header X-Task-Wait of the last answer: why a claim got no task. Empty where there is no such reason.
        self.wait = ""

    def send(
        self,
        method: str,
        path: str,
        body: Any,
        headers: Dict[str, str],
        timeout: float,
        interruptible: bool = False,
        once: bool = False,
    ) -> Any:
        """Returns the `data` of the answer. Raises TaskApiError for a failure, and where no answer comes in time.

        `interruptible`: interrupt() ends the request. `once`: the request must not be sent a second time.
        """
        deadline, data = time.monotonic() + timeout, None if body is None else json.dumps(body).encode()
        headers = {"Authorization": self._server.bearer(), **headers}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if once or time.monotonic() - self._used_at > REST or os.getpid() != self._process:
            self.close()
        self.resent = False
        while True:
            kept, answer, connected = self._connection, None, False
            try:
                connection = self._connection = kept or self._server.connection(min(CONNECT, _left(deadline)))
                self._poll = connection if interruptible else None
                if interruptible and self._interrupted:
                    raise OSError("interrupted")
                if not kept:
                    connection.connect()
                connected = True
                connection.sock.settimeout(_left(deadline))
                answer = _Answer(connection.sock, deadline)
                connection.response_class = lambda _, **more: http.client.HTTPResponse(answer, **more)  # type: ignore
                connection.request(method, self._server.path + path, data, headers)
                response = connection.getresponse()
                text = response.read()
                break
            except Exception as error:  # http.client raises OSError, HTTPException, ValueError and others.
                self.close()
                if answer:
                    answer.close()
                # The server closed the connection while it was idle, so the request is sent again. It has no effect
                # twice: a claim has a key, a report has a lease token.
                self.resent = bool(kept and not isinstance(error, socket.timeout) and not (answer and answer.received))
                if not self.resent:
                    failure = TaskApiError("%s %s: %s: %s" % (method, path, type(error).__name__, error))
                    failure._undone = not connected
                    raise failure from error
            finally:
                self._poll = None
        if response.will_close:
            self.close()
        self._used_at = time.monotonic()
        self.wait = response.headers.get("X-Task-Wait", "")
        return _data(response, text, "%s %s" % (method, path))

    def interrupt(self) -> None:
        """Ends the interruptible request that is under way, and each later one."""
        self._interrupted = True
        if os.getpid() == self._process:
            _shut_down(self._poll)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if os.getpid() != self._process:  # The parent still uses it.
            self._process = os.getpid()
            return _let_go(connection)
        if connection:
            # A process that was forked meanwhile may hold the socket open too: close() alone would not end it.
            _shut_down(connection)
            connection.close()

    def forked(self) -> None:
        """Call this in a forked child: it closes the child's handle of the parent's connection."""
        _let_go(self._connection)


#: The former name of Connection.
Line = Connection


def _shut_down(connection: Optional[http.client.HTTPConnection]) -> None:
    try:
        if connection and connection.sock:
            connection.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def _let_go(connection: Optional[http.client.HTTPConnection]) -> None:
    """Closes this process's handle of the socket. Nothing is sent to the server, not even by TLS."""
    try:
        if connection and connection.sock:
            os.close(connection.sock.detach())
    except OSError:
        pass


class _Answer(io.RawIOBase):
    """The bytes of an answer, with one deadline for all of them: a socket's own time-out restarts with each byte."""

    def __init__(self, sock: socket.socket, deadline: float):
        self.received, self._sock, self._deadline = 0, sock, deadline
        self._raw: Any = sock.makefile("rb", buffering=0)

    def makefile(self, *_: Any) -> io.BufferedReader:
        """http.client calls this on what it takes for a socket."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        received: int = self._raw.readinto(buffer)
        self.received += received
        if self.received > LONGEST_ANSWER:
            raise OSError("the answer is longer than %d bytes" % LONGEST_ANSWER)
        return received

    def close(self) -> None:
        self._raw.close()
        super().close()


def _data(response: http.client.HTTPResponse, text: bytes, request: str) -> Any:
    """Opens the envelope of an answer. Raises TaskApiError where it holds a failure, or is not the queue's."""
    try:
        envelope = json.loads(text)
    except ValueError:
        envelope = None
    if isinstance(envelope, dict) and response.status == 200 and envelope.get("status") == 1 and "data" in envelope:
        return envelope["data"]
    seconds = retry_after(response.headers.get("Retry-After", ""))
    data = envelope.get("data") if isinstance(envelope, dict) else None
    if isinstance(data, dict) and isinstance(data.get("code"), int):
        detail = data.get("detail")
        message = "%s: HTTP %d: %s%s" % (request, response.status, data.get("msg"), problems_of(detail))
        raise TaskApiError(message, response.status, data["code"], detail, seconds)
    to = response.headers.get("Location")
    shown = text[:200].decode(errors="replace")
    what = "a redirection to %s" % to if to else "an answer that is not the queue's: %r" % shown
    message = "%s: HTTP %d, %s. Is base_url right?" % (request, response.status, what)
    raise TaskApiError(message, response.status, 0, None, seconds)


def _left(deadline: float) -> float:
    """Seconds until the deadline. Raises socket.timeout when it has passed."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise socket.timeout("no answer in time")
    return seconds


def retry_after(text: str) -> float:
    """The seconds of a Retry-After header, which may also be a date; 0 where it can't be read."""
    try:
        return float(text) if text.isdecimal() else email.utils.parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return 0.0
