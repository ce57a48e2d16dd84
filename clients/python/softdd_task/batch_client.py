"""The client for batches: tasks that belong together."""

import math
import random
import time
import urllib.parse
import uuid
from typing import Any, Dict, List, Optional, cast

from .api_types import NewTask
from .backoff import backoff
from .batch_types import Batch, BatchPage, BatchTask, CreatedBatch, OnFailure
from .connections import Connections
from .errors import TaskApiError, WaitTimeoutError

# Seconds until the second look at a batch, and the least that a look may take.
FIRST_LOOK, LEAST_LOOK = 0.25, 0.25


class StartedBatch:
    """A batch that was created: `created`, with the ids of its tasks, and `wait()` for its end."""

    def __init__(self, client: "BatchClient", created: CreatedBatch):
        self._client, self.created = client, created

    def wait(self, timeout: float = math.inf, interval: float = 5.0) -> Batch:
        """Returns the batch once all its tasks have ended. After `timeout` seconds: WaitTimeoutError."""
        return self._client.wait(self.created["batchId"], timeout, interval)


class BatchClient:
    """A user's own batches."""

    def __init__(self, connections: Connections, path: str, cancelled: int):
        self._connections, self._path, self._cancelled = connections, path, cancelled

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
        return cast(Batch, self._connections.send("GET", self._of(batch_id), timeout=timeout, retries=retries))

    def list(
        self,
        *,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> BatchPage:
        """Returns batches, newest first."""
        given = {"limit": limit, "cursor": cursor}
        query = {name: value for name, value in given.items() if value is not None}
        answer = self._connections.send("GET", self._path, query=query, timeout=timeout, retries=retries)
        return cast(BatchPage, answer)

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
        path = self._of(batch_id)
        return cast(Batch, self._connections.send("PUT", path, {"seal": True}, timeout=timeout, retries=retries))

    def cancel(self, batch_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Batch:
        """Cancels all tasks that have not ended."""
        body = {"status": self._cancelled}
        path = self._of(batch_id)
        return cast(Batch, self._connections.send("PUT", path, body, once=True, timeout=timeout, retries=retries))

    def wait(self, batch_id: str, timeout: float = math.inf, interval: float = 5.0) -> Batch:
        """Returns the batch once all its tasks have ended. After `timeout` seconds: WaitTimeoutError."""
        end, gap = time.monotonic() + timeout, FIRST_LOOK
        while True:
            rest, seen = gap * (0.8 + random.random() * 0.2), None
            failure: Optional[TaskApiError] = None
            left = end - time.monotonic()
            try:
                seen = self.get(batch_id, timeout=None if left == math.inf else max(left, LEAST_LOOK))
                if seen["endedAt"] is not None:
                    return seen
            except TaskApiError as error:
                if not error.retryable:
                    raise
                rest, failure = max(rest, backoff(1, error.retry_after)), error
            left = end - time.monotonic()
            if left <= 0:
                if seen is None and failure is not None:
                    raise failure
                what = "batch %s has not ended within %s s" % (batch_id, timeout)
                raise WaitTimeoutError(what, detail={"batch": seen})
            time.sleep(min(rest, left))
            gap = min(gap * 1.5, interval)

    def _of(self, batch_id: str) -> str:
        return self._path + "/" + urllib.parse.quote(batch_id, safe="")
