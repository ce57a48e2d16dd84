"""One task at work: the reports of its handler, in order, until the last one is answered."""

import logging
import math
import threading
from typing import Any, Dict, NamedTuple, Optional

from ..errors import TaskApiError
from .context import Context
from .lease_keeper import Lease

log = logging.getLogger("softdd_task")

# Reports that a request may hold: the server takes no more.
MOST = 100


class Pace(NamedTuple):
    """How often a task is reported, in seconds, and the status that gives it back."""

    lease: float
    heartbeat: float
    progress_interval: float
    begin: int


class Session:
    """A task that belongs to this worker while its lease runs.

    The handler's thread and the reporter's thread share it. Its fields change under the worker's lock.
    """

    def __init__(self, claimed: Dict[str, Any], pace: Pace, lock: threading.Condition):
        self.id, self.token = claimed["task"]["taskId"], claimed["leaseToken"]
        self.traceparent: Optional[str] = claimed.get("traceparent")
        self.context = Context(claimed["task"], self._say)
        self.lease = Lease(pace.lease, pace.heartbeat)
        #: The last report is written. It may not be answered yet.
        self.ended = False
        #: Set when nothing more is to be reported.
        self.over = threading.Event()
        #: The fields of the next report.
        self.words: Dict[str, Any] = {}
        #: How many reports may share a request with this one, itself included.
        self.most = MOST
        self._pace, self._lock = pace, lock
        self._last_progress = 0.0
        self._refusal: Optional[TaskApiError] = None

    def due(self) -> float:
        """When the next report must leave, by the monotonic clock."""
        if self.over.is_set():
            return math.inf
        if self.ended:
            return 0.0 if "status" in self.words else math.inf
        renewal = self.lease.renewal_at()
        return min(renewal, self._last_progress + self._pace.progress_interval) if self.words else renewal

    def lapsed(self) -> bool:
        """Whether the lease has run out under a handler at work. A last report is still sent: it may be in time."""
        return not self.ended and self.lease.has_lapsed()

    def take(self) -> Dict[str, Any]:
        """Returns the fields of the report that leaves now."""
        words, self.words, now = self.words, {}, self.lease.reported()
        if words:
            self._last_progress = now
        return words

    def put_back(self, words: Dict[str, Any]) -> None:
        """Keeps the fields of a report that was not answered. Newer values win. The next report is due at once."""
        self.words = {**words, **self.words}
        self.lease.renew()

    def end(self, words: Dict[str, Any], anew: bool = False) -> None:
        """Writes the last report. `anew` replaces one that was refused."""
        with self._lock:
            if self.ended and not anew:
                return
            self.ended = True
            if anew:
                self.over.clear()
            self.words = {**self.words, **words}
            self._lock.notify_all()

    def verdict(self) -> Optional[TaskApiError]:
        """Waits until the last report is answered. Returns the error where the queue refused it."""
        self.over.wait()
        return self._refusal

    def answer(self, refusal: Optional[TaskApiError], words: Dict[str, Any]) -> None:
        """Takes the answer to a report: accepted, or refused because it breaks a rule."""
        if refusal:
            log.error("%s: a report was refused: %s", self.id, refusal)
        else:
            self.lease.hold()
            self.most = MOST
        if "status" not in words:
            return
        if refusal and "temp" in words:
            # The checkpoint may be what breaks the rule. The result must not be lost with it.
            with self._lock:
                return self.put_back({name: value for name, value in words.items() if name != "temp"})
        given_back = words["status"] == self._pace.begin
        # When giving the task back is refused, the task has not failed: its lease runs out.
        self._refusal = None if given_back else refusal
        self.over.set()
        if not refusal:
            log.info("%s given back" if given_back else "%s: the last report was accepted", self.id)

    def lose(self, reason: str) -> None:
        """Ends the session without a report: the task no longer belongs to this worker."""
        if self.over.is_set():
            return
        log.warning("%s lost: %s", self.id, reason)
        with self._lock:
            self.ended = True
        self._refusal = None
        self.context._tell(reason)
        self.over.set()

    def _say(self, words: Dict[str, Any]) -> None:
        with self._lock:
            if not self.ended:
                self.words.update(words)
                self._lock.notify_all()
