"""A worker at work in one process: threads that claim and report, and a thread for each handler."""

import logging
import os
import threading
import time
from typing import TYPE_CHECKING, Any, Dict, List, Optional

from ..backoff import backoff
from ..errors import TaskApiError, describe, storable
from .claimer import Claimer
from .context import Context
from .event_loop import Loop
from .handler_process import NotReady, ProcessDied
from .http_source import HttpSource
from .lease_keeper import LeaseKeeper
from .outcome import Handler, Outcome, perform
from .processes import Processes
from .refusals import REFUSED_FOR, Refusals
from .reporter import Reporter
from .session import Pace, Session
from .traces import Traces

if TYPE_CHECKING:
    from .task_worker import Worker

log = logging.getLogger("softdd_task")

# Seconds that handlers have to stop after they are told to, and that the last reports may take.
GRACE, LAST_WORDS = 1.0, 5.0
# Seconds that the last claim may take to end, at least.
LAST_CLAIM = 3.0
# Seconds to wait for a signal after a handler's process died: a signal to the group may reach that process first.
SIGNAL_DELAY = 0.5

ROLES = {"finished": "FINISHED", "failed": "ERROR", "released": "BEGIN"}


class Runner:
    """All that a worker holds while it works. run() makes it in the process that works, so a fork never inherits it."""

    def __init__(self, options: "Worker", handler: Handler):
        self._options, self._handler, self._status = options, handler, options.status
        self.process = os.getpid()
        self._lock = threading.Condition()
        self._sessions: List[Session] = []
        self._closing = threading.Event()
        self._signalled = False
        self._loop = Loop()
        self._traces = Traces()
        self.processes = Processes(handler, self._lock, self._closing.is_set, options.traceback)
        self._pace = Pace(options.lease, options.heartbeat, options.progress_interval, self._status["BEGIN"])
        self._source = HttpSource(options)
        self._keeper = LeaseKeeper(self._lock, self._sessions)
        self._reporter = Reporter(self._source, self._lock, self._sessions, options.heartbeat)
        self._claimer = Claimer(
            self._source,
            self._lock,
            self._sessions,
            options.concurrency,
            self._closing,
            Refusals(REFUSED_FOR),
            self._begin,
        )

    @property
    def refused(self) -> Optional[TaskApiError]:
        """Why the worker ended, where the queue refused it."""
        return self._claimer.refused

    def run(self) -> None:
        """Works until it is closed, signalled or refused."""
        if self._options.processes:
            self.processes.start(self._goes_on)
        self._reporter.start()
        self._claimer.start()
        while self._goes_on(0.2):
            self._keeper.stop_lapsed()
        self._shut_down()

    def close(self) -> None:
        """Stops claiming. Returns at once."""
        self._closing.set()
        self._source.interrupt()
        with self._lock:
            self._lock.notify_all()

    def signal(self) -> None:
        """Closes soon. A signal handler calls it, and must not take a lock: the interrupted thread may hold that."""
        self._signalled = True

    def abandon(self) -> None:
        """Ends everything that is left, without waiting for handlers."""
        if os.getpid() != self.process:
            return
        self.close()
        self.processes.kill()
        self._loop.close()
        self._source.close()

    def forked(self) -> None:
        """Call this in a forked child: it lets go of the parent's connections and pipes."""
        self._source.forked()
        self.processes.forked()

    def _goes_on(self, seconds: float) -> bool:
        """Waits that long, or until the worker closes. Returns whether it goes on."""
        if self._signalled:
            self.close()
        return not self._closing.wait(seconds)

    # Handlers

    def _begin(self, claimed: Dict[str, Any], renew: bool) -> None:
        """Starts the handler of a claimed task in a thread."""
        session = Session(claimed, self._pace, self._lock)
        if renew:
            session.lease.renew()
        with self._lock:
            self._sessions.append(session)
            self._lock.notify_all()  # The reporter must know of the new lease.
        if self._closing.is_set():
            self._give_back(session)
        try:
            threading.Thread(target=self._work, args=(session,), daemon=True).start()
        except RuntimeError as error:  # The system has no more threads. Claims pause for a while.
            log.error("%s is given back: %s", session.id, error)
            self._give_back(session)
            self._work(session)
            self._closing.wait(backoff(3))

    def _work(self, session: Session) -> None:
        try:
            if not session.ended:
                log.debug("%s started", session.id)
                outcome = self._outcome(session)
                lost = session.ended  # The exception may be the TaskStopped that the handler had to raise.
                session.end(self._report_of(outcome))
                if outcome.line and not lost:
                    _log_failure(session.id, outcome.line)
            verdict = session.verdict()
            if verdict:
                # The result breaks a rule, such as a limit of size. A retry would break it again.
                refused = Outcome("failed", {"error": storable("the result was refused: %s" % verdict)})
                session.end(self._report_of(refused), True)
                session.verdict()
        finally:
            with self._lock:
                self._sessions.remove(session)
                self._lock.notify_all()

    def _report_of(self, outcome: Outcome) -> Dict[str, Any]:
        return {"status": self._status[ROLES[outcome.end]], **outcome.words}

    def _give_back(self, session: Session) -> None:
        session.end(self._report_of(Outcome("released", {})))

    def _outcome(self, session: Session) -> Outcome:
        """Runs the handler. A handler that the shutdown interrupted has not failed: its task is given back."""
        context, released = session.context, Outcome("released", {})
        try:
            with self._traces.process(dict(context.task), session.traceparent) as span:
                outcome = self._perform(context)
                if outcome.end == "failed":
                    self._traces.failed(span, outcome.words.get("error", ""))
        except NotReady as error:
            log.error("%s is given back: %s", session.id, error)
            self._give_back(session)
            session.verdict()
            self._closing.wait(backoff(6))  # The place stays busy meanwhile: the next task would meet the same error.
            return released
        except BaseException as error:
            died = isinstance(error, ProcessDied)
            if died and self._closing.wait(SIGNAL_DELAY):
                return released
            text = str(error) if died else describe(error)
            outcome = Outcome("failed", {"error": storable(text), "retry": True}, ": " + text)
        interrupted = outcome.end == "failed" and context.reason == "shutdown" and not outcome.meant
        return released if interrupted else outcome

    def _perform(self, context: Context) -> Outcome:
        if self._options.processes:
            return self.processes.run(context)
        return perform(self._handler, context, self._loop, self._options.traceback)

    # Shutdown

    def _shut_down(self) -> None:
        """Waits for the handlers, then stops them, then gives their tasks back and waits for the last reports."""
        timeout = self._options.shutdown_timeout
        deadline = time.monotonic() + timeout
        self._reporter.hurry()
        self._claimer.join(max(timeout, LAST_CLAIM))
        self._wait_for_sessions(deadline)
        for session in list(self._sessions):
            session.context._tell("shutdown")
        self._wait_for_sessions(time.monotonic() + GRACE)
        for session in list(self._sessions):
            self._give_back(session)
        deadline = time.monotonic() + LAST_WORDS
        with self._lock:
            while any(not session.over.is_set() for session in self._sessions) and time.monotonic() < deadline:
                self._lock.wait(0.1)
        self._reporter.stop()

    def _wait_for_sessions(self, deadline: float) -> None:
        with self._lock:
            while self._sessions and time.monotonic() < deadline:
                self._keeper.stop_lapsed()
                self._lock.wait(min(1.0, max(deadline - time.monotonic(), 0)))


def _log_failure(task_id: str, line: str) -> None:
    try:
        log.warning("%s failed%s", task_id, line)
    except BaseException:  # A log handler of the program raised. The result must arrive all the same.
        pass
