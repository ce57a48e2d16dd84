"""The clients for batches: tasks that belong together."""

import math
import urllib.parse
import uuid
from typing import Any, Dict, List, Mapping, Optional, Tuple, cast

from .api_types import NewTask
from .batch_types import (
    Batch,
    BatchLayerPage,
    BatchMemberPage,
    BatchPage,
    BatchState,
    BatchTask,
    BatchTaskQuery,
    CreatedBatch,
    OnFailure,
    OperatorBatch,
    OperatorBatchPage,
    OperatorBatchQuery,
)
from .connections import Connections
from .wait_for import wait_for_end


class StartedBatch:
    """A batch that was created: `created`, with the ids of its tasks, and `wait()` for its end."""

    def __init__(self, client: "BatchClient", created: CreatedBatch):
        self._client, self.created = client, created

    def wait(self, timeout: float = math.inf, interval: float = 5.0) -> Batch:
        """Returns the batch once all its tasks have ended. After `timeout` seconds: WaitTimeoutError."""
        return self._client.wait(self.created["batchId"], timeout, interval)


class _Batches:
    """What users and operators do with batches."""

    def __init__(self, connections: Connections, path: str, cancelled: int):
        self._connections, self._path, self._cancelled = connections, path, cancelled

    def tasks(
        self,
        batch_id: str,
        query: Optional[BatchTaskQuery] = None,
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> BatchMemberPage:
        """Returns tasks of a batch, and which of them wait for which."""
        return cast(BatchMemberPage, self._read(self._of(batch_id) + "/tasks", query or {}, timeout, retries))

    def layers(
        self,
        batch_id: str,
        *,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> BatchLayerPage:
        """Returns the tasks of a batch by layers, counted: those that wait for none come first."""
        query = _given(limit=limit, cursor=cursor)
        return cast(BatchLayerPage, self._read(self._of(batch_id) + "/layers", query, timeout, retries))

    def _read(self, path: str, query: Mapping[str, Any], timeout: Optional[float], retries: Optional[int]) -> Any:
        return self._connections.send("GET", path, query=query, timeout=timeout, retries=retries)

    def _seal(self, batch_id: str, timeout: Optional[float], retries: Optional[int]) -> Any:
        path = self._of(batch_id)
        return self._connections.send("PUT", path, {"seal": True}, timeout=timeout, retries=retries)

    def _cancel(self, batch_id: str, timeout: Optional[float], retries: Optional[int]) -> Any:
        body, path = {"status": self._cancelled}, self._of(batch_id)
        return self._connections.send("PUT", path, body, once=True, timeout=timeout, retries=retries)

    def _of(self, batch_id: str) -> str:
        return self._path + "/" + urllib.parse.quote(batch_id, safe="")


class OperatorBatchClient(_Batches):
    """The batches of all owners, for operators."""

    def get(self, batch_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> OperatorBatch:
        """Returns a batch."""
        return cast(OperatorBatch, self._read(self._of(batch_id), {}, timeout, retries))

    def list(
        self,
        query: Optional[OperatorBatchQuery] = None,
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> OperatorBatchPage:
        """Returns batches, newest first."""
        return cast(OperatorBatchPage, self._read(self._path, query or {}, timeout, retries))

    def seal(self, batch_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> OperatorBatch:
        """No tasks are added any more."""
        return cast(OperatorBatch, self._seal(batch_id, timeout, retries))

    def cancel(self, batch_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> OperatorBatch:
        """Cancels all tasks that have not ended."""
        return cast(OperatorBatch, self._cancel(batch_id, timeout, retries))


class BatchClient(_Batches):
    """A user's own batches."""

    def create(
        self,
        tasks: List[BatchTask],
        *,
        then: Optional[NewTask] = None,
        callback_url: Optional[str] = None,
        on_failure: OnFailure = "finish",
        seal: bool = True,
        idempotency_key: Optional[str] = None,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> CreatedBatch:
        """Creates a batch with its tasks, all or none. Repeated with the same key, it creates no second one."""
        body: Dict[str, Any] = {"tasks": tasks, "onFailure": on_failure, "seal": seal}
        if then is not None:
            body["then"] = then
        if callback_url is not None:
            body["callbackUrl"] = callback_url
        key = idempotency_key or str(uuid.uuid4())
        answer = self._connections.send("POST", self._path, body, key=key, timeout=timeout, retries=retries)
        return cast(CreatedBatch, answer)

    def get(self, batch_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Batch:
        """Returns a batch."""
        return cast(Batch, self._read(self._of(batch_id), {}, timeout, retries))

    def list(
        self,
        *,
        state: Optional[BatchState] = None,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> BatchPage:
        """Returns batches, newest first. With `state` a page may be short although there are more."""
        query = _given(state=state, limit=limit, cursor=cursor)
        return cast(BatchPage, self._read(self._path, query, timeout, retries))

    def add(
        self,
        batch_id: str,
        tasks: List[BatchTask],
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> CreatedBatch:
        """Adds tasks to a batch that is not sealed, all or none."""
        path = self._of(batch_id) + "/tasks"
        body = {"tasks": tasks}
        answer = self._connections.send("POST", path, body, once=True, timeout=timeout, retries=retries)
        return cast(CreatedBatch, answer)

    def seal(self, batch_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Batch:
        """No tasks are added any more."""
        return cast(Batch, self._seal(batch_id, timeout, retries))

    def cancel(self, batch_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Batch:
        """Cancels all tasks that have not ended."""
        return cast(Batch, self._cancel(batch_id, timeout, retries))

    def wait(self, batch_id: str, timeout: float = math.inf, interval: float = 5.0) -> Batch:
        """Returns the batch once all its tasks have ended.

        After `timeout` seconds it raises WaitTimeoutError, or the last failure where no request was answered.
        """

        def look(most: float) -> Tuple[Batch, bool]:
            seen = self.get(batch_id, timeout=most, retries=0)
            return seen, seen["endedAt"] is not None

        return wait_for_end("batch", batch_id, timeout, interval, self._connections.timeout, look)


def _given(**given: Any) -> Dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
