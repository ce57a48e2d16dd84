"""Sends the requests of a client, over connections that threads and forked processes may share."""

import collections
import json
import time
import urllib.parse
from typing import Any, Deque, Mapping, Optional

from .backoff import backoff
from .errors import TaskApiError
from .transport import Connection, Server


class Connections:
    """The idle connections to a server. Each request takes one, or opens a new one.

    timeout   seconds that a request may take, where it does not say so itself
    retries   times that a request is sent again, where it does not say so itself
    """

    def __init__(self, server: Server, timeout: float, retries: int):
        self.server, self.timeout, self._retries = server, timeout, retries
        # A deque needs no lock: a fork could copy a lock in its locked state.
        self._idle: Deque[Connection] = collections.deque()

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: Optional[Mapping[str, Any]] = None,
        key: Optional[str] = None,
        once: bool = False,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> Any:
        """Returns the `data` of the answer. `once`: repeat only what the queue has certainly not received."""
        headers = {} if key is None else {"Idempotency-Key": key}
        seconds = self.timeout if timeout is None else timeout
        again = self._retries if retries is None else retries
        path, failures = path + query_text(query or {}), 0
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = Connection(self.server)
            try:
                return connection.send(method, path, body, headers, seconds, once=once)
            except TaskApiError as error:
                failures += 1
                if not error.retryable or failures > again or (once and not error._undone):
                    raise
                rest = backoff(failures, error.retry_after)
            finally:
                self._idle.append(connection)
            time.sleep(rest)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def query_text(query: Mapping[str, Any]) -> str:
    """The end of a URL. Values that are None are left out, and lists are written as their JSON text."""
    texts = {
        name: json.dumps(value) if isinstance(value, list) else value
        for name, value in query.items()
        if value is not None
    }
    return "?" + urllib.parse.urlencode(texts) if texts else ""
