"""Follows a user's tasks over the server's stream of events."""

import http.client
import json
import math
import socket
import time
from typing import Any, Callable, Dict, Iterator, List, Literal, Optional, Set, Tuple, TypedDict, Union, cast

from .api_types import Task
from .backoff import backoff
from .errors import TaskApiError
from .transport import CONNECT, Server, _data

# Seconds without a byte after which a stream is dead. The server writes something every 15 seconds.
SILENCE = 45.0
# Seconds after which a stream that broke off does not count as a failure.
LASTED = 5.0


class TaskEvent(TypedDict):
    """A task as it is now."""

    event: Literal["task"]
    task: Task


class RemovedEvent(TypedDict):
    """A task that was deleted, or that is not the user's."""

    event: Literal["removed"]
    taskId: str


WatchEvent = Union[TaskEvent, RemovedEvent]


def events(
    server: Server, path: str, last_id: Optional[str], seconds: float = math.inf
) -> Iterator[Tuple[str, str, Any]]:
    """Yields the events of one stream as (event, id, data), until it ends, breaks off, or `seconds` have passed.

    Raises TaskApiError where the server refuses, or does not answer.
    """
    deadline = time.monotonic() + seconds
    headers = {"Authorization": server.bearer(), "Accept": "text/event-stream"}
    if last_id:
        headers["Last-Event-ID"] = last_id
    connection = server.connection(min(CONNECT, seconds))
    response: Optional[http.client.HTTPResponse] = None
    try:
        try:
            connection.connect()
            # http.client lets go of it where the answer says that the connection will close.
            sock = connection.sock
            sock.settimeout(min(SILENCE, seconds))
            connection.request("GET", server.path + path, headers=headers)
            response = connection.getresponse()
            is_stream = response.status == 200 and response.headers.get_content_type() == "text/event-stream"
            text = b"" if is_stream else response.read()
        except Exception as error:  # http.client raises OSError, HTTPException, ValueError and others.
            raise TaskApiError("GET %s: %s: %s" % (path, type(error).__name__, error)) from error
        if not is_stream:
            _data(response, text, "GET " + path)
            raise TaskApiError("GET %s: the answer is no stream of events" % path, response.status)
        fields: Dict[str, str] = {}
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            sock.settimeout(min(SILENCE, left))
            try:
                line = response.readline().decode()
            except (OSError, ValueError, socket.timeout):
                return
            if not line:
                return
            name, _, value = line.rstrip("\n").partition(": ")
            if line == "\n":
                if "data" in fields:
                    yield fields.get("event", ""), fields.get("id", ""), json.loads(fields["data"])
                fields = {}
            else:
                fields[name] = value
    finally:
        connection.close()
        if response:
            response.close()


def watch(open_stream: Callable[[Optional[str]], Iterator[Tuple[str, str, Any]]]) -> Iterator[WatchEvent]:
    """Follows streams over broken connections. `open_stream` gets the id of the last event."""
    told, failures, is_first = _Told(), 0, True
    while True:
        began, asked = time.monotonic(), 0.0
        told.connected(is_first)
        is_first = False
        try:
            for event, id_, data in open_stream(told.last_id):
                yield from told.take(event, data)
                told.last_id = id_
        except TaskApiError as error:
            if not error.retryable:
                raise
            asked = error.retry_after
        failures = 1 if time.monotonic() - began > LASTED else failures + 1
        time.sleep(backoff(failures, asked))


class _Told:
    """What the caller has been told, so that it hears everything once."""

    def __init__(self) -> None:
        self.last_id: Optional[str] = None
        self._tasks: Dict[str, None] = {}
        self._removed: Set[str] = set()
        # The tasks of the snapshot that is coming in, after the first one.
        self._snapshot: Optional[Set[str]] = None

    def connected(self, is_first: bool) -> None:
        self._snapshot = None if is_first else set()

    def take(self, event: str, data: Any) -> List[WatchEvent]:
        if event == "task":
            task = cast(Task, data)
            self._tasks[task["taskId"]] = None
            self._removed.discard(task["taskId"])
            if self._snapshot is not None:
                self._snapshot.add(task["taskId"])
            return [{"event": "task", "task": task}]
        if event == "removed":
            return self._remove([data["taskId"]])
        if event == "synced":
            snapshot, self._snapshot = self._snapshot, None
            if snapshot is not None and not data["resumed"]:
                return self._remove([task_id for task_id in self._tasks if task_id not in snapshot])
        return []

    def _remove(self, ids: List[str]) -> List[WatchEvent]:
        fresh = [task_id for task_id in ids if task_id not in self._removed]
        for task_id in fresh:
            self._tasks.pop(task_id, None)
            self._removed.add(task_id)
        return [{"event": "removed", "taskId": task_id} for task_id in fresh]
