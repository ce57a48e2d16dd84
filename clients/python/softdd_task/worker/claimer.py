"""The thread that claims tasks."""

import logging
import threading
import time
from typing import Any, Callable, Dict, List, Optional

from ..backoff import backoff
from ..errors import TaskApiError, describe
from .http_source import HttpSource
from .refusals import Refusals
from .session import Session

log = logging.getLogger("softdd_task")

# An empty answer that comes sooner than this, in seconds, was no long poll: the server is stopping, perhaps.
SOON = 1.0


# Why there are no tasks, by the header of the answer.
HELD_UP = {
    "paused": "the service is paused",
    "limit": "as many tasks of the service run as may",
    "rate": "the rate of the service is used up",
}


class Claimer:
    """Claims as many tasks as the worker has free places, until the worker closes or the queue refuses it."""

    def __init__(
        self,
        source: HttpSource,
        lock: threading.Condition,
        sessions: List[Session],
        concurrency: int,
        closing: threading.Event,
        refusals: Refusals,
        begin: Callable[[Dict[str, Any], bool], None],
    ):
        self._source, self._lock, self._sessions, self._concurrency = source, lock, sessions, concurrency
        self._closing, self._refusals, self._begin = closing, refusals, begin
        #: Why the worker must end, where the queue refuses it.
        self.refused: Optional[TaskApiError] = None
        self._failures = 0
        self._held_up = ""
        self._thread = threading.Thread(target=self._claim, name="softdd-task-claims", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _claim(self) -> None:
        while not self._closing.is_set():
            free = self._free()
            if free < 1:
                continue
            try:
                self._claim_once(free)
            except Exception as problem:
                error = problem if isinstance(problem, TaskApiError) else TaskApiError(describe(problem))
                if not self._goes_on_after(error):
                    return self._closing.set()
        if self._failures:
            self._withdraw()

    def _free(self) -> int:
        """The number of free places. Where there is none, it waits for a change first."""
        with self._lock:
            free = self._concurrency - len(self._sessions)
            # Whether the worker closes is read under the lock, so that its notice can't be missed.
            if free < 1 and not self._closing.is_set():
                self._lock.wait()
            return free

    def _claim_once(self, free: int) -> None:
        asked = time.monotonic()
        tasks = self._source.claim(free)
        for task in tasks:
            # After a failure the answer may be that of an earlier request, so the leases may be older.
            self._begin(task, self._failures > 0 or self._source.resent)
        if self._failures:
            log.info("the queue can be reached again")
        self._failures = 0
        self._refusals.answered()
        if self._source.held_up and self._source.held_up != self._held_up:
            log.info("no tasks for now: %s", HELD_UP.get(self._source.held_up, self._source.held_up))
        self._held_up = self._source.held_up
        if not tasks and time.monotonic() - asked < SOON:
            self._closing.wait(backoff(3))

    def _goes_on_after(self, error: TaskApiError) -> bool:
        """Pauses after a failure. Returns whether the worker may claim again."""
        was_forbidden = self._refusals.forbidden
        if self._refusals.is_final(error):
            self.refused = error
            return False
        self._failures += 1
        if error.forbidden and not was_forbidden:
            log.warning("the queue refuses this worker, retrying: %s", error)
        elif self._failures == 1 and not self._closing.is_set():
            log.warning("the queue can't be reached, retrying: %s", error)
        self._closing.wait(backoff(self._failures, error.retry_after))
        return True

    def _withdraw(self) -> None:
        """Cancels the last claim, which was not answered. Tasks that it had taken are given back."""
        try:
            for task in self._source.withdraw():
                self._begin(task, False)
        except Exception as problem:
            log.debug("the last claim could not be withdrawn: %s", describe(problem))
