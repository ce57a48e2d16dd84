"""The queue over HTTP: the worker claims tasks here and reports on them."""

import uuid
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional

from ..errors import TaskApiError, problems_of
from ..transport import Connection

if TYPE_CHECKING:
    from .task_worker import Worker

# Tasks that a claim may take: the server gives no more.
MOST_CLAIMED = 100
# Seconds that a claim may take beyond its `wait`, and that its withdrawal may take when the worker closes.
CLAIM, WITHDRAWAL = 10.0, 2.0
# Seconds that a request with reports may take, and the part of the lease that it may take: a request that hangs must
# not cost the leases.
REPORT, REPORT_PART = 10.0, 0.5


class Verdict(NamedTuple):
    """What became of a report.

    `kind` is 'taken', 'lost' (the task no longer belongs to this worker, for this `reason`), 'refused' (it breaks a
    rule, and always will) or 'again' (it must be sent again).
    """

    kind: str
    error: Optional[TaskApiError] = None
    reason: str = ""


class HttpSource:
    """Claims and reports have a connection each, so that a claim that waits does not delay the reports."""

    def __init__(self, options: "Worker"):
        self._uri, self._wait, self._lease = options.uri, options.wait, options.lease
        self._status, self._codes = options.status, options.codes
        self._claims, self._reports = Connection(options._server), Connection(options._server)
        filters = {"service": options.service, "group": options.group, "lease": options.lease}
        filters["workerId"] = options.worker_id
        self._filters: Dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
        # A claim keeps its key until its answer arrives: sent again, it returns the tasks of an answer that was lost.
        self._key = str(uuid.uuid4())

    @property
    def resent(self) -> bool:
        """Whether the last claim was sent twice, so that its leases may have started earlier."""
        return self._claims.resent

    @property
    def held_up(self) -> str:
        """Why the last claim got no task: 'paused', 'limit' or 'rate'. Empty where none of these is the reason."""
        return self._claims.wait

    def claim(self, limit: int) -> List[Dict[str, Any]]:
        """Claims up to `limit` tasks, and waits for one where there is none."""
        return self._ask({"limit": min(limit, MOST_CLAIMED), "wait": self._wait}, self._wait + CLAIM, True)

    def withdraw(self) -> List[Dict[str, Any]]:
        """Cancels a claim that was not answered. Returns what it had taken already.

        Behind a proxy the claim may wait on although its connection is gone, or its answer may be lost.
        """
        return self._ask({"limit": 0}, WITHDRAWAL, False)

    def report(self, reports: List[Dict[str, Any]]) -> List[Verdict]:
        """Sends reports. Returns a verdict for each. Raises TaskApiError where the request fails as a whole."""
        timeout = min(REPORT, REPORT_PART * self._lease)
        answers = self._reports.send("PUT", self._uri, {"reports": reports}, {}, timeout)["list"]
        # A report without an answer must be sent again.
        return [self._verdict(answer) for answer, _ in zip([*answers, *({} for _ in reports)], reports)]

    def interrupt(self) -> None:
        """Ends the claim that waits, and later ones."""
        self._claims.interrupt()

    def close(self) -> None:
        self._claims.close()
        self._reports.close()

    def forked(self) -> None:
        """Call this in a forked child: it lets go of the parent's connections."""
        self._claims.forked()
        self._reports.forked()

    def _ask(self, query: Dict[str, Any], timeout: float, interruptible: bool) -> List[Dict[str, Any]]:
        body, headers = {**self._filters, **query}, {"Idempotency-Key": self._key}
        answer = self._claims.send("POST", self._uri, body, headers, timeout, interruptible=interruptible)
        tasks: List[Dict[str, Any]] = answer["list"]
        self._key = str(uuid.uuid4())
        return tasks

    def _verdict(self, answer: Dict[str, Any]) -> Verdict:
        if answer.get("status") == 1:
            return Verdict("taken")
        data = answer.get("data") or {}
        code, detail = data.get("code", 0), data.get("detail")
        message = "%s%s" % (data.get("msg", "the report was not answered"), problems_of(detail))
        if code in (0, *(self._codes[name] for name in ("UNAVAILABLE", "TOO_MANY_REQUESTS", "INTERNAL"))):
            return Verdict("again", TaskApiError(message))
        if code in (self._codes["LEASE_LOST"], self._codes["NOT_FOUND"]):
            task = (detail.get("task") or {}) if isinstance(detail, dict) else {}
            is_cancelled = task.get("status") == self._status["CANCELLED"]
            return Verdict("lost", reason="cancelled" if is_cancelled else "lost")
        return Verdict("refused", TaskApiError(message, 400, code, detail))
