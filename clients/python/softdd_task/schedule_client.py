"""The clients for schedules: tasks that are created again and again."""

import urllib.parse
from typing import Any, Dict, Mapping, Optional, cast

from .api_types import Task
from .connections import Connections
from .operator_types import OperatorTask
from .schedule_types import (
    OperatorSchedule,
    OperatorSchedulePage,
    OperatorScheduleQuery,
    RemovedSchedule,
    Schedule,
    SchedulePage,
    ScheduleQuery,
    ScheduleSettings,
)


class ScheduleClient:
    """A user's own schedules. A change is only repeated if the queue has certainly not received it."""

    def __init__(self, connections: Connections, path: str):
        self._routes = _Routes(connections, path)

    def put(
        self, key: str, settings: ScheduleSettings, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> Schedule:
        """Creates one or replaces its settings. The same settings again change nothing."""
        return cast(Schedule, self._routes.send("PUT", key, "", settings, timeout, retries))

    def get(self, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Schedule:
        """Returns one schedule, with its next five times."""
        return cast(Schedule, self._routes.send("GET", key, "", {}, timeout, retries))

    def list(
        self, query: Optional[ScheduleQuery] = None, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> SchedulePage:
        """Returns schedules in the order of their keys."""
        return cast(SchedulePage, self._routes.list(query or {}, timeout, retries))

    def remove(self, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> RemovedSchedule:
        """Deletes it. Its tasks stay."""
        return cast(RemovedSchedule, self._routes.send("DELETE", key, "", {}, timeout, retries))

    def pause(self, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Schedule:
        """It creates no tasks until it is resumed."""
        return cast(Schedule, self._routes.send("POST", key, "/pause", {}, timeout, retries))

    def resume(self, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Schedule:
        """It goes on with its next time."""
        return cast(Schedule, self._routes.send("POST", key, "/resume", {}, timeout, retries))

    def run(self, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Task:
        """Creates its task now. Its times stay."""
        return cast(Task, self._routes.send("POST", key, "/run", {}, timeout, retries))


class OperatorScheduleClient:
    """The schedules of all owners, for operators. A key is unique only for its owner."""

    def __init__(self, connections: Connections, path: str):
        self._routes = _Routes(connections, path)

    def get(
        self, user_id: str, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> OperatorSchedule:
        """Returns one schedule, with its next five times."""
        return cast(OperatorSchedule, self._routes.send("GET", key, "", {"userId": user_id}, timeout, retries))

    def list(
        self,
        query: Optional[OperatorScheduleQuery] = None,
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> OperatorSchedulePage:
        """Returns schedules in the order of owners and keys."""
        return cast(OperatorSchedulePage, self._routes.list(query or {}, timeout, retries))

    def remove(
        self, user_id: str, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> RemovedSchedule:
        """Deletes it. Its tasks stay."""
        return cast(RemovedSchedule, self._routes.send("DELETE", key, "", {"userId": user_id}, timeout, retries))

    def pause(
        self, user_id: str, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> OperatorSchedule:
        """It creates no tasks until it is resumed."""
        return cast(OperatorSchedule, self._routes.send("POST", key, "/pause", {"userId": user_id}, timeout, retries))

    def resume(
        self, user_id: str, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> OperatorSchedule:
        """It goes on with its next time."""
        return cast(OperatorSchedule, self._routes.send("POST", key, "/resume", {"userId": user_id}, timeout, retries))

    def run(
        self, user_id: str, key: str, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> OperatorTask:
        """Creates its task now. Its times stay."""
        return cast(OperatorTask, self._routes.send("POST", key, "/run", {"userId": user_id}, timeout, retries))


class _Routes:
    def __init__(self, connections: Connections, path: str):
        self._connections, self._path = connections, path

    def list(self, query: Mapping[str, Any], timeout: Optional[float], retries: Optional[int]) -> Any:
        return self._connections.send("GET", self._path, query=query, timeout=timeout, retries=retries)

    def send(
        self,
        method: str,
        key: str,
        verb: str,
        given: Mapping[str, Any],
        timeout: Optional[float],
        retries: Optional[int],
    ) -> Any:
        path = self._path + "/" + urllib.parse.quote(key, safe="") + verb
        if method == "GET":
            return self._connections.send(method, path, query=given, timeout=timeout, retries=retries)
        body: Dict[str, Any] = dict(given)
        # A PUT may be repeated: the same settings again change nothing.
        once = method != "PUT"
        return self._connections.send(method, path, body, once=once, timeout=timeout, retries=retries)
