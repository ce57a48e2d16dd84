"""The client: it creates tasks, reads and changes them, waits for their ends, and has the routes for operators."""

import math
import urllib.parse
import uuid
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union, cast

from .api_types import STATUS, URIS, CreatedTask, ListQuery, NewTask, Removal, Task, TaskChanges, TaskPage
from .batch_client import BatchClient, StartedBatch
from .batch_types import BatchTask, OnFailure
from .bulk_client import BulkClient
from .connections import Connections
from .errors import ERROR_CODE, TaskApiError
from .operator_client import OperatorClient
from .operator_types import BulkRequest
from .schedule_client import ScheduleClient
from .transport import Server, Token
from .wait_for import wait_for_end
from .watch import WatchEvent, events, watch

# Seconds between two looks from which on wait_for opens a stream, and for which it listens before it looks again.
STREAM_FROM, COVERED = 0.5, 30.0
# Ids that watch() takes: with commas they fit into a URL.
WATCHED_IDS = 200
# Ids that a URL can hold; more go into a body.
MOST_IDS = 100


class TaskClient:
    """Creates tasks, reads and changes them, and waits for their ends.

    base_url      the address of the server: the part before /api/tasks
    token         a user's token, or a function that returns it; the function is called before each request
    timeout       seconds that a request may take
    retries       times that a request is sent again after a broken connection, 408, 425, 429, 502, 503 or 504
    uris          the host's own paths, under the names of `URIS`
    status        the host's own integers of statuses, under the names of `STATUS`
    codes         the host's own codes of failures, under the names of `ERROR_CODE`

    bulks         changes of many own tasks
    schedules     own schedules: tasks that are created again and again
    batches       own batches: tasks that belong together
    operator      the routes for operators: for a client with an operator's token

    A failure is a TaskApiError. The client repeats requests by itself. A create carries an idempotency key, so it takes
    effect once. A change of status and a removal carry none, so they are repeated only where the queue has certainly
    done nothing. Threads may share a client, and so may forked processes.
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        *,
        timeout: float = 10.0,
        retries: int = 4,
        uris: Optional[Dict[str, str]] = None,
        status: Optional[Dict[str, int]] = None,
        codes: Optional[Dict[str, int]] = None,
    ):
        self._connections = Connections(Server(base_url, token), timeout, retries)
        self._send = self._connections.send
        given = uris or {}
        base = given.get("getTaskListUri", URIS["getTaskListUri"])
        lists = {"postTaskListUri": base + "/list", "getTaskEventsUri": base + "/events"}
        self._uris = {**URIS, **lists, **given}
        # Whether the server may have streams of events: an older one has none.
        self._has_streams = True
        self.status, self.codes = {**STATUS, **(status or {})}, {**ERROR_CODE, **(codes or {})}
        self.bulks: BulkClient[BulkRequest] = BulkClient(self._connections, self._uris["getTaskListUri"] + "/bulk")
        self.schedules = ScheduleClient(self._connections, self._uris["scheduleUri"])
        self.batches = BatchClient(self._connections, self._uris["batchUri"], self.status["CANCELLED"])
        self.operator = OperatorClient(self._connections, self._uris["operatorUri"], self.status["CANCELLED"])

    def create(
        self,
        task: NewTask,
        *,
        idempotency_key: Optional[str] = None,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> CreatedTask:
        """Creates a task. Repeated with the same key, it creates no second one.

        If another task holds its `unique` key, that one is returned, with `duplicate`.
        """
        key = idempotency_key or str(uuid.uuid4())
        path = self._uris["postTaskUri"]
        return cast(CreatedTask, self._send("POST", path, task, key=key, timeout=timeout, retries=retries))

    def create_many(
        self,
        tasks: List[NewTask],
        *,
        idempotency_key: Optional[str] = None,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> List[CreatedTask]:
        """Creates up to 1,000 tasks, all of them or none.

        Those whose `unique` keys other tasks hold are returned as in `create`.
        """
        key = idempotency_key or str(uuid.uuid4())
        answer = self._send("POST", self._uris["postTaskUri"], tasks, key=key, timeout=timeout, retries=retries)
        return cast(List[CreatedTask], answer["list"])

    def batch(
        self,
        tasks: List[BatchTask],
        *,
        then: Optional[NewTask] = None,
        callback_url: Optional[str] = None,
        on_failure: OnFailure = "finish",
        idempotency_key: Optional[str] = None,
    ) -> StartedBatch:
        """Creates tasks that belong together: `client.batch(tasks).wait()` returns when all have ended."""
        key = idempotency_key
        made = self.batches.create(
            tasks, then=then, callback_url=callback_url, on_failure=on_failure, idempotency_key=key
        )
        return StartedBatch(self.batches, made)

    def get(self, task_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Task:
        """Returns a task."""
        path = _with_id(self._uris["getTaskUri"], task_id)
        return cast(Task, self._send("GET", path, timeout=timeout, retries=retries))

    def list(
        self, query: Optional[ListQuery] = None, *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> TaskPage:
        """Returns the user's tasks, newest first.

        An answer holds at most 8 MiB. Where the tasks are larger, the page has fewer of them and `nextCursor` leads on;
        `ids` are requested in parts. A `page` by number can't be shortened and fails with TOO_LARGE.
        """
        given: Dict[str, Any] = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            return self._page(given, timeout, retries)
        except TaskApiError as error:
            fits = _fits(error)
            if not fits or "page" in given:
                raise
        if "ids" not in given:
            return self._page({**given, "pageNum": fits}, timeout, retries)
        ids = given["ids"]
        half = (len(ids) + 1) // 2
        parts = [
            self.list(cast(ListQuery, {**given, "ids": some}), timeout=timeout, retries=retries)["list"]
            for some in (ids[:half], ids[half:])
        ]
        tasks = sorted(parts[0] + parts[1], key=lambda task: (task["createdAt"] or "", task["taskId"]), reverse=True)
        return {"list": tasks, "nextCursor": None}

    def update(
        self,
        task_id: str,
        changes: TaskChanges,
        *,
        timeout: Optional[float] = None,
        retries: Optional[int] = None,
    ) -> Task:
        """Changes the given fields."""
        path = _with_id(self._uris["putTaskUri"], task_id)
        # Repeated later, a change of status might undo what happened in between.
        once = "status" in changes
        return cast(Task, self._send("PUT", path, changes, once=once, timeout=timeout, retries=retries))

    def mark_ready(self, task_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Task:
        """Makes a draft or a waiting task ready now, or runs an ended task again."""
        return self.update(task_id, {"status": self.status["BEGIN"]}, timeout=timeout, retries=retries)

    def cancel(self, task_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Task:
        """Cancels a task. Its worker learns of it with its next report."""
        return self.update(task_id, {"status": self.status["CANCELLED"]}, timeout=timeout, retries=retries)

    def remove(
        self, ids: Union[str, List[str]], *, timeout: Optional[float] = None, retries: Optional[int] = None
    ) -> Removal:
        """Deletes the user's tasks, except those that a worker holds."""
        body = {"ids": [ids] if isinstance(ids, str) else ids}
        path = self._uris["deleteTaskUri"]
        return cast(Removal, self._send("DELETE", path, body, once=True, timeout=timeout, retries=retries))

    def watch(
        self,
        *,
        ids: Optional[List[str]] = None,
        service: Optional[str] = None,
        group: Optional[str] = None,
        batch_id: Optional[str] = None,
    ) -> Iterator[WatchEvent]:
        """Yields the user's tasks as they are, then each change as it happens.

        Each is {"event": "task", "task": …}, or {"event": "removed", "taskId": …} for a task that was deleted or is not
        the user's. Give `ids` (at most 200), or one or more of `service`, `group` and `batch_id`. It connects again by
        itself, and ends with the loop. A server without event streams answers 404.
        """
        if ids is not None and len(ids) > WATCHED_IDS:
            raise ValueError("watch() takes at most %d ids; watch a service, a group or a batch" % WATCHED_IDS)
        path = self._events_path(ids, service=service, group=group, batchId=batch_id)
        return watch(lambda last_id: events(self._connections.server, path, last_id))

    def wait_for(self, task_id: str, timeout: float = math.inf, interval: float = 5.0) -> Task:
        """Waits until a task is finished, failed for good or cancelled, and returns it.

        A stream of events tells it. Without one it asks at least every `interval` seconds, at first more often. It goes
        on while the queue is away. After `timeout` seconds it raises WaitTimeoutError, or the last failure where no
        request was answered.
        """
        ends = [self.status[role] for role in ("FINISHED", "ERROR", "CANCELLED")]

        def look(most: float) -> Tuple[Task, bool]:
            seen = self.get(task_id, timeout=most, retries=0)
            return seen, seen["status"] in ends

        # The first looks are for tasks that end at once.
        def hears_end(gap: float, left: float) -> bool:
            return gap >= STREAM_FROM and self._hears_end(task_id, ends, min(left, COVERED))

        return wait_for_end("task", task_id, timeout, interval, self._connections.timeout, look, hears_end)

    def _hears_end(self, task_id: str, ends: List[int], seconds: float) -> bool:
        """Listens for this long. Returns whether the task may have ended."""
        if not self._has_streams:
            return False
        try:
            for event, _, data in events(self._connections.server, self._events_path([task_id]), None, seconds):
                if event == "removed" or (event == "task" and data["status"] in ends):
                    return True
        except TaskApiError as error:
            self._has_streams = error.retryable or error.http_status in (401, 403, 430)
        return False

    def _events_path(self, ids: Optional[List[str]], **others: Optional[str]) -> str:
        # As text: a JSON list would be too long for a URL.
        named = {"ids": None if ids is None else ",".join(ids), **others}
        query = urllib.parse.urlencode({name: value for name, value in named.items() if value is not None}, safe=",")
        return self._uris["getTaskEventsUri"] + "?" + query

    def close(self) -> None:
        """Closes the idle connections. The client can still be used."""
        self._connections.close()

    def _page(self, given: Dict[str, Any], timeout: Optional[float], retries: Optional[int]) -> TaskPage:
        if len(given.get("ids", ())) > MOST_IDS:  # A URL can't hold them.
            path, body = self._uris["postTaskListUri"], given
            return cast(TaskPage, self._send("POST", path, body, timeout=timeout, retries=retries))
        path = self._uris["getTaskListUri"]
        return cast(TaskPage, self._send("GET", path, query=given, timeout=timeout, retries=retries))


def _fits(error: TaskApiError) -> int:
    """How many of the requested tasks fit into one answer, where the server says that not all do; 0 otherwise."""
    problem = error.detail[0] if error.http_status == 413 and isinstance(error.detail, list) and error.detail else {}
    return int(problem.get("fits", 0)) if problem.get("rule") == "answerBytes" else 0


def _with_id(uri: str, task_id: str) -> str:
    return uri.replace("{taskId}", urllib.parse.quote(task_id, safe=""))
