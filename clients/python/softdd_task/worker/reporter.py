"""The thread that sends reports. All reports that are due share a request."""

import logging
import math
import threading
import time
from typing import Any, Dict, List, Optional, Tuple

from ..backoff import backoff
from ..errors import TaskApiError, describe
from .http_source import HttpSource
from .session import MOST, Session

log = logging.getLogger("softdd_task")

# Characters that a request with several reports may hold. The server takes 1 MiB, and a character may need six bytes.
MOST_CHARS = 150_000
# Characters that a report needs besides its texts.
REPORT_CHARS = 200
# Seconds between two attempts to report, at most, once the worker closes.
HURRY = 0.5
# Seconds that the thread sleeps where nothing is due.
IDLE = 60.0

Batch = List[Tuple[Session, Dict[str, Any]]]


class Reporter:
    """Sends the reports of all sessions, and repeats those that were not answered."""

    def __init__(self, source: HttpSource, lock: threading.Condition, sessions: List[Session], heartbeat: float):
        self._source, self._lock, self._sessions, self._heartbeat = source, lock, sessions, heartbeat
        # When the next request may leave, by the monotonic clock.
        self._not_before = 0.0
        self._hurried = False
        self._stopped = False
        # Whether the last request was answered for at least one of its reports.
        self._heard = False
        self._thread = threading.Thread(target=self._serve, name="softdd-task-reports", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hurry(self) -> None:
        """Shortens the pauses between attempts, because the worker closes."""
        with self._lock:
            self._hurried, self._not_before = True, 0.0
            self._lock.notify_all()

    def stop(self) -> None:
        """Ends the thread as soon as nothing is due."""
        with self._lock:
            self._stopped = True
            self._lock.notify_all()
        self._thread.join(1)

    def _serve(self) -> None:
        failures = 0
        while True:
            batch = self._next()
            if batch is None:
                return
            try:
                error = self._send(batch)
            except Exception as problem:  # The leases depend on this thread: no exception may end it.
                error = self._put_back(batch, TaskApiError(describe(problem)))
            if error is None:
                failures = 0
            elif not self._heard:  # Otherwise the answer had no room for all: the rest is sent without a pause.
                failures += 1
                if failures == 1:
                    log.warning("the queue can't be reached, retrying: %s", error)
                # A longer pause would cost the leases.
                longest = min(self._heartbeat / 2, HURRY if self._hurried else math.inf)
                self._not_before = time.monotonic() + backoff(failures, error.retry_after, longest)

    def _next(self) -> Optional[Batch]:
        """Waits for reports that are due, and takes them. None when the thread must end."""
        with self._lock:
            while True:
                now, not_before = time.monotonic(), self._not_before
                due = [session for session in self._sessions if session.due() <= now]
                if due and now >= not_before:
                    # Results go first.
                    due.sort(key=lambda session: not session.ended)
                    return [(session, session.take()) for session in fitting(due)]
                if self._stopped:
                    return None
                times = [session.due() for session in self._sessions]
                self._lock.wait(max(min([not_before if now < not_before else now + IDLE, *times]), not_before) - now)

    def _send(self, batch: Batch) -> Optional[TaskApiError]:
        """Sends a request. Returns the failure after which the next one must pause, or None."""
        self._heard = False
        reports = [{"taskId": session.id, "leaseToken": session.token, **words} for session, words in batch]
        try:
            verdicts = self._source.report(reports)
        except TaskApiError as error:
            return self._failed(batch, error)
        failure = None
        for (session, words), verdict in zip(batch, verdicts):
            if verdict.kind == "again" and verdict.error:
                failure = self._put_back([(session, words)], verdict.error)
                continue
            self._heard = True
            if verdict.kind == "lost":
                session.lose(verdict.reason)
            else:
                session.answer(verdict.error, words)
        return failure

    def _failed(self, batch: Batch, error: TaskApiError) -> Optional[TaskApiError]:
        if error.refused and len(batch) == 1:
            batch[0][0].answer(error, batch[0][1])
            return None
        if error.refused or (error.http_status >= 500 and not error.retryable):
            # One bad report makes the whole request fail. Requests of half the size find it. A server that is broken
            # gets no more requests by that, since they pause.
            for session, _ in batch:
                session.most = (len(batch) + 1) // 2
        self._put_back(batch, error)
        return None if error.refused else error

    def _put_back(self, batch: Batch, error: TaskApiError) -> TaskApiError:
        """Keeps reports to send them again. Where the queue is away, their leases hold."""
        with self._lock:
            for session, words in batch:
                if error.away:
                    session.lease.hold()
                session.put_back(words)
        return error


def fitting(sessions: List[Session]) -> List[Session]:
    """The sessions, in their order, whose reports fit into one request."""
    chars, most, taken = 0, MOST, sessions[:0]
    for session in sessions[:MOST]:
        chars += REPORT_CHARS + sum(len(str(value)) for value in session.words.values())
        most = min(most, session.most)
        if taken and (chars > MOST_CHARS or len(taken) >= most):
            break
        taken.append(session)
    return taken
