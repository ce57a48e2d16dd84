"""The client for operators: it sees tasks of all owners, services, workers and callbacks, and acts on them."""

import urllib.parse
from typing import Any, List, Mapping, Optional, cast

from .api_types import Removal
from .batch_client import OperatorBatchClient
from .bulk_client import BulkClient
from .connections import Connections
from .operator_types import (
    BulkPage,
    Callback,
    CallbackFilter,
    CallbackPage,
    CallbackQuery,
    OperatorBulkRequest,
    OperatorListQuery,
    OperatorTask,
    OperatorTaskChanges,
    OperatorTaskDetail,
    OperatorTaskPage,
    Overview,
    PageQuery,
    ReplayResult,
    ServiceChanges,
    ServiceState,
    Stats,
    StatsQuery,
    WorkerLoad,
)
from .schedule_client import OperatorScheduleClient


class OperatorClient:
    """The routes for operators. A change is only repeated if the queue has certainly not received it.

    bulks       changes of many tasks
    schedules   schedules of all owners
    batches     batches of all owners
    """

    def __init__(self, connections: Connections, uri: str, cancelled: int):
        self._connections, self._uri = connections, uri
        self.bulks: BulkClient[OperatorBulkRequest] = BulkClient(connections, uri + "/bulk")
        self.schedules = OperatorScheduleClient(connections, uri + "/schedules")
        self.batches = OperatorBatchClient(connections, uri + "/batches", cancelled)

    def overview(self, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Overview:
        """Returns what is in the queue and what happened in it, by service."""
        return cast(Overview, self._get("/overview", {}, timeout, retries))

    def stats(
        self, query: Optional[StatsQuery] = None, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> Stats:
        """Returns what happened, as a series for a chart."""
        return cast(Stats, self._get("/stats", query or {}, timeout, retries))

    def list(
        self,
        query: Optional[OperatorListQuery] = None,
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> OperatorTaskPage:
        """Returns tasks of all owners, newest first. A page may be empty although there are more: see `nextCursor`."""
        # A thousand ids do not fit into a URL.
        send, body = self._connections.send, query or {}
        return cast(OperatorTaskPage, send("POST", self._uri + "/tasks/list", body, timeout=timeout, retries=retries))

    def task(
        self, task_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> OperatorTaskDetail:
        """Returns everything of one task."""
        return cast(OperatorTaskDetail, self._get("/tasks/" + _quoted(task_id), {}, timeout, retries))

    def update(
        self,
        task_id: str,
        changes: OperatorTaskChanges,
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> OperatorTask:
        """Runs a task again, makes it ready, cancels it, or changes its priority."""
        return cast(OperatorTask, self._change("PUT", "/tasks/" + _quoted(task_id), changes, timeout, retries))

    def remove(self, ids: List[str], *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Removal:
        """Deletes tasks, except those that a worker holds."""
        return cast(Removal, self._change("DELETE", "/tasks", {"ids": ids}, timeout, retries))

    def list_bulks(
        self, query: Optional[PageQuery] = None, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> BulkPage:
        """Returns the bulks of the last 7 days, newest first."""
        return cast(BulkPage, self._get("/bulk", query or {}, timeout, retries))

    def services(self, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> List[ServiceState]:
        """Returns what operators have set for services."""
        return cast(List[ServiceState], self._get("/services", {}, timeout, retries)["list"])

    def set_service(
        self,
        service: str,
        changes: ServiceChanges,
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> ServiceState:
        """Pauses or resumes a service. An empty text removes `pausedUntil` or `note`."""
        return cast(ServiceState, self._change("PUT", "/services/" + _quoted(service), changes, timeout, retries))

    def callbacks(
        self, query: Optional[CallbackQuery] = None, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> CallbackPage:
        """Returns callbacks, newest first."""
        return cast(CallbackPage, self._get("/callbacks", query or {}, timeout, retries))

    def replay_callback(
        self, callback_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> Callback:
        """Delivers a callback again."""
        path = "/callbacks/" + _quoted(callback_id) + "/replay"
        return cast(Callback, self._change("POST", path, {}, timeout, retries))

    def replay_callbacks(
        self,
        filter: Optional[CallbackFilter] = None,
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> ReplayResult:
        """Delivers up to 1,000 callbacks again, by default dead ones."""
        return cast(ReplayResult, self._change("POST", "/callbacks/replay", filter or {}, timeout, retries))

    def workers(self, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> List[WorkerLoad]:
        """Returns who holds tasks now, most first."""
        return cast(List[WorkerLoad], self._get("/workers", {}, timeout, retries)["list"])

    def _get(self, path: str, query: Mapping[str, Any], timeout: Optional[float], retries: Optional[int]) -> Any:
        return self._connections.send("GET", self._uri + path, query=query, timeout=timeout, retries=retries)

    def _change(
        self, method: str, path: str, body: Mapping[str, Any], timeout: Optional[float], retries: Optional[int]
    ) -> Any:
        send = self._connections.send
        return send(method, self._uri + path, body, once=True, timeout=timeout, retries=retries)


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
