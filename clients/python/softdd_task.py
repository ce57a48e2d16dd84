"""Workers for a @softdd/task server: one file, the standard library alone, Python 3.9 or later.

    from softdd_task import Worker

    @Worker("http://127.0.0.1:3000", TOKEN, service="transcode", concurrency=2)
    def transcode(context):
        context.progress(50, "frame 1200")
        return "out.mp4"

    if __name__ == "__main__":
        transcode.run()

What the function returns is the task's output (what is no string, as JSON). What it raises is a failure that is tried
again while attempts are left; UnrecoverableError: for good; RetryLater: after so many seconds. Handlers run in threads,
or with `processes=True` in processes, and one more thread renews the leases: it needs the GIL from time to time, so a
handler that holds the GIL for longer than a lease (a C extension that never lets go of it) wants `processes=True`.
Nothing is printed: the logger is `softdd_task`.
"""

from __future__ import annotations

import atexit
import copy
import email.utils
import http.client
import importlib
import io
import json
import logging
import math
import multiprocessing
import multiprocessing.util
import os
import random
import signal
import socket
import ssl
import threading
import time
import urllib.parse
import uuid
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple, Union

__all__ = ["Context", "RetryLater", "Stopped", "TaskError", "UnrecoverableError", "Worker"]
__version__ = "1.0.0"

log = logging.getLogger("softdd_task")
log.addHandler(logging.NullHandler())

# Statuses that a worker reports or hears of, and codes of failures, where the host has not chosen others.
STATUS = {"BEGIN": 10, "FINISHED": 30, "ERROR": -10, "CANCELLED": -20}
CODES = {"NOT_FOUND": 14001, "LEASE_LOST": 14005, "TOO_MANY_REQUESTS": 14009, "UNAVAILABLE": 14011}

# Seconds that handlers have to stop once they are told, and that last words may take to arrive.
GRACE, LAST_WORDS = 1.0, 5.0
# Seconds that a task may rest: a year.
LONGEST_DELAY = 31_536_000
# Seconds in a row that a worker which has claimed before may be refused: a token is renewed, a guard recovers.
REFUSED_FOR = 300.0
# Seconds that the server may take to notice that a lease has run out.
SWEEP = 2.0
# Seconds that a connection may take to open, and that one may rest before it is used again: Node closes it after five,
# and what a firewall has forgotten by then looks open for ever.
CONNECT, REST = 5.0, 4.0
# Bytes of an answer: more than a hundred tasks are, with every text as long as it may be.
LONGEST_ANSWER = 256 * 1024 * 1024


class TaskError(Exception):
    """A request that did not work. `http_status` is 0 where there was no answer."""

    def __init__(self, message: str, http_status: int = 0, code: int = 0, detail: Any = None, retry_after: float = 0):
        super().__init__(message)
        self.http_status, self.code, self.detail, self.retry_after = http_status, code, detail, retry_after

    @property
    def retryable(self) -> bool:
        return self.http_status in (0, 408, 425, 429, 502, 503, 504)

    @property
    def refused(self) -> bool:
        """Whether the queue itself says that a request breaks a rule, and always will.

        What stands in between (a proxy without a route, a guard's bad moment, a page of HTML) knows nothing of the
        task; that a body is too large is true whoever says it.
        """
        return self.http_status == 413 or (self.code != 0 and self.http_status in (400, 415, 422))

    @property
    def forbidden(self) -> bool:
        """Whether the queue itself takes no such token; 430 is a status of its own."""
        return self.code != 0 and self.http_status in (401, 403, 430)


class UnrecoverableError(Exception):
    """Raised by a handler: the task has failed for good."""


class RetryLater(Exception):
    """Raised by a handler: this attempt failed, and the next one shall begin after so many seconds."""

    def __init__(self, seconds: float, message: Optional[str] = None):
        if not 0 <= seconds < math.inf:
            raise ValueError("RetryLater takes seconds, 0 or more, not %r" % (seconds,))
        super().__init__(message or "again in %g s" % seconds)
        self.seconds = seconds


class Stopped(Exception):
    """Raised by `Context.check()`. `reason` is 'cancelled', 'lost' or 'shutdown'."""

    def __init__(self, reason: str):
        super().__init__("the task is to stop: " + reason)
        self.reason = reason


class Context:
    """What a handler is given: its task, and how to say how far it is."""

    def __init__(self, task: Dict[str, Any], say: Callable[[Dict[str, Any]], None]):
        #: The task as the server shows it: taskId, service, input, args, attempt, and so on.
        self.task = task
        #: The last `temp` that an attempt before this one left; empty at first.
        self.checkpoint: str = task.get("temp") or ""
        #: Why the handler shall stop: 'cancelled', 'lost' or 'shutdown'; None while it may go on.
        self.reason: Optional[str] = None
        self._say = say
        self._stop = threading.Event()

    def progress(self, percent: float, temp: Optional[str] = None) -> None:
        """Says how far it is, and where to go on from. Call it as often as you like: the newest is sent now and then."""
        if not percent >= 0:
            raise ValueError("progress takes percent, from 0 to 100, not %r" % (percent,))
        if temp is not None and not isinstance(temp, str):
            raise TypeError("the checkpoint must be a str, not %s" % type(temp).__name__)
        words: Dict[str, Any] = {"progress": int(min(percent, 100))}
        if temp is not None:
            words["temp"] = temp
        self._say(words)

    @property
    def cancelled(self) -> bool:
        """Whether the handler shall stop."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raises Stopped where the handler shall stop."""
        if self.cancelled:
            raise Stopped(self.reason or "lost")

    def sleep(self, seconds: float) -> bool:
        """Sleeps, and no longer than until the handler shall stop. Answers whether it shall."""
        return self._stop.wait(seconds)

    def _tell(self, reason: str) -> None:
        self.reason = self.reason or reason
        self._stop.set()


Handler = Callable[[Context], Any]
Token = Union[str, Callable[[], str]]


class Worker:
    """Claims tasks, runs a handler on up to `concurrency` of them at once, and reports what comes of them.

    base_url           where the server is: what comes before /api/crontask
    token              text, or a function that answers it, asked before each request, for tokens that are renewed
    concurrency        tasks at once, 1 to 1,000
    service, group     tasks of these only
    lease              seconds that a task is held without a word, 3 to 86,400
    heartbeat          seconds between two words of a task, at most: how soon a cancel is heard of; a third of the lease
    wait               seconds that a claim waits for a task, 0 to 30
    progress_interval  seconds between two reports of a task's progress
    shutdown_timeout   seconds that handlers may go on after SIGTERM; then their tasks are given back
    processes          run handlers in processes of their own, one for each of `concurrency`, that stay: the handler
                       must be found by its name in its module, and the module must be importable
    worker_id          kept with its tasks, at most 64 characters; else the host and the process
    uri, status, codes a host's own address of the worker routes, integers of statuses and codes of failures
    """

    def __init__(
        self,
        base_url: str,
        token: Token,
        service: Optional[str] = None,
        concurrency: int = 1,
        *,
        group: Optional[str] = None,
        lease: int = 60,
        heartbeat: Optional[float] = None,
        wait: int = 20,
        worker_id: Optional[str] = None,
        progress_interval: float = 0.5,
        shutdown_timeout: float = 25.0,
        processes: bool = False,
        uri: str = "/api/crontask",
        status: Optional[Dict[str, int]] = None,
        codes: Optional[Dict[str, int]] = None,
    ):
        _check("concurrency", concurrency, 1, 1000)
        _check("lease", lease, 3, 86_400)
        _check("wait", wait, 0, 30)
        self.heartbeat = lease / 3 if heartbeat is None else heartbeat
        _check("heartbeat", self.heartbeat, 0.1, lease / 2)
        _check("progress_interval", progress_interval, 0.05, 3600.0)
        _check("shutdown_timeout", shutdown_timeout, 0.0, 86_400.0)
        if worker_id is not None and not 1 <= len(worker_id) <= 64:
            raise ValueError("worker_id must have from 1 to 64 characters, not %r" % (worker_id,))
        self.worker_id = worker_id or "%s:%d:%s" % (socket.gethostname()[:40], os.getpid(), uuid.uuid4().hex[:8])
        self.concurrency, self.lease, self.wait, self.processes = concurrency, lease, wait, processes
        self.progress_interval, self.shutdown_timeout = progress_interval, shutdown_timeout
        self.status, self.codes = {**STATUS, **(status or {})}, {**CODES, **(codes or {})}
        filters = {"service": service, "group": group, "lease": lease, "workerId": self.worker_id}
        self._filters = {name: value for name, value in filters.items() if value is not None}
        # A connection each: what waits for tasks shall not hold up the reports.
        self._claims = _Http(base_url, uri, token)
        self._reports = copy.copy(self._claims)
        self._handler: Optional[Handler] = None
        self._key = str(uuid.uuid4())
        self._lock = threading.Condition()
        self._sessions: List[_Session] = []
        self._children: List[_Child] = []
        self._closing = threading.Event()
        self._signalled = False
        self._refused: Optional[TaskError] = None
        self._not_before = 0.0  # When the next report may leave, by the monotonic clock.
        self._hurried = False  # It closes: reports rest no longer than half a second.
        self._silent = False  # The reporter's work is done.

    def __call__(self, handler: Handler) -> "Worker":
        """Sets the handler; a decorator."""
        self._handler = handler
        return self

    def run(self, handle_signals: bool = True) -> None:
        """Works until SIGTERM, SIGINT or close(). Raises TaskError where the server refuses this worker.

        Signals can be handled in the main thread alone; a second one ends the process, as ever.
        """
        if self._handler is None:
            raise TypeError("give the worker its handler first: Worker(…)(handler)")
        before: Dict[int, Any] = {}
        if handle_signals and threading.current_thread() is threading.main_thread():

            def stop(*_: Any) -> None:
                # No more than a flag: a lock may be the interrupted thread's.
                self._signalled = True
                for number, handler in before.items():
                    signal.signal(number, handler)

            for number in (int(signal.SIGTERM), int(signal.SIGINT)):
                # A handler that Python did not install is None.
                before[number] = signal.signal(number, stop) or signal.SIG_DFL
        reporter = threading.Thread(target=self._report, name="softdd-task-reports", daemon=True)
        claimer = threading.Thread(target=self._claim, name="softdd-task-claims", daemon=True)
        # Where the interpreter ends and this thread does not, multiprocessing.util would wait for the processes for
        # ever: it was imported before, so that this comes first.
        atexit.register(self._abandon)
        try:
            if self.processes:
                self._start_process()
            reporter.start()
            claimer.start()
            while self._goes_on(0.2):
                self._drop_lapsed()
            self._shut_down(claimer, reporter)
        finally:
            self._abandon()
            atexit.unregister(self._abandon)
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._refused:
            raise self._refused

    def close(self) -> None:
        """Claims no more; run() ends once the handlers have, or their tasks are given back. Returns at once."""
        self._closing.set()
        self._claims.interrupt()
        with self._lock:
            self._lock.notify_all()

    def _goes_on(self, seconds: float) -> bool:
        """Waits that long. Answers whether it is not to close."""
        if self._signalled:
            self.close()
        return not self._closing.wait(seconds)

    def _abandon(self) -> None:
        self.close()
        with self._lock:
            for child in self._children:
                child.kill()
        self._claims.close()
        self._reports.close()

    # Claiming

    def _claim(self) -> None:
        failures, successes, refused_at = 0, 0, math.inf
        while not self._closing.is_set():
            with self._lock:
                free = self.concurrency - len(self._sessions)
                if free < 1:
                    self._lock.wait()
                    continue
            asked = time.monotonic()
            try:
                tasks = self._ask({"limit": min(free, 100), "wait": self.wait}, self.wait + 10)
                for task in tasks:
                    # An answer that was lost at first: its leases are not new.
                    self._begin(task, failures > 0 or self._claims.resent)
                if failures:
                    log.info("the queue can be reached again")
                failures, successes, refused_at = 0, successes + 1, math.inf
                if not tasks and time.monotonic() - asked < 1:
                    self._closing.wait(_backoff(3))
            except Exception as problem:
                error = problem if isinstance(problem, TaskError) else TaskError(_describe(problem))
                now, refused_before = time.monotonic(), refused_at < math.inf
                refused_at = min(refused_at, now) if error.forbidden else math.inf
                # The queue says no, and says it in its own words; or it never was there.
                final = not error.retryable and error.http_status < 500 and (error.code or not successes)
                if final and not (successes and error.forbidden and now - refused_at < REFUSED_FOR):
                    self._refused = error
                    return self._closing.set()
                failures += 1
                if error.forbidden and not refused_before:
                    log.warning("the queue refuses this worker, trying on: %s", error)
                elif failures == 1 and not self._closing.is_set():
                    log.warning("the queue can't be reached, trying on: %s", error)
                self._closing.wait(_backoff(failures, error.retry_after))
        if failures:  # The last claim may wait on behind a proxy, or its answer be lost: it is withdrawn.
            try:
                for task in self._ask({"limit": 0}, 2):
                    self._begin(task)
            except Exception as problem:
                log.debug("the last claim could not be withdrawn: %s", _describe(problem))

    def _ask(self, query: Dict[str, Any], timeout: float) -> List[Dict[str, Any]]:
        body = {**self._filters, **query}
        # The key stays until its answer has come: one that was lost is asked for again, and strands no task.
        answer = self._claims.send("POST", body, {"Idempotency-Key": self._key}, timeout, interruptible="wait" in query)
        tasks = answer["list"]
        self._key = str(uuid.uuid4())
        return tasks

    def _begin(self, claimed: Dict[str, Any], renew: bool = False) -> None:
        session = _Session(claimed["task"], claimed["leaseToken"], self)
        if renew:
            session.renew()
        with self._lock:
            self._sessions.append(session)
            self._lock.notify_all()  # Its lease is to be renewed, too.
        if self._closing.is_set():
            session.end({"status": self.status["BEGIN"]})
        try:
            threading.Thread(target=self._work, args=(session,), daemon=True).start()
        except RuntimeError as error:  # No more threads: it is given back, and the claims wait.
            log.error("%s is given back: %s", session.id, error)
            session.end({"status": self.status["BEGIN"]})
            self._work(session)
            self._closing.wait(_backoff(3))

    # Working

    def _work(self, session: "_Session") -> None:
        try:
            if not session.ended:
                log.debug("%s started", session.id)
                try:
                    outcome = self._outcome(session)
                except BaseException as error:  # An exception without a text, say: its task shall not hang.
                    outcome = {"status": self.status["ERROR"], "error": _text(_describe(error)), "retry": True}
                session.end(outcome)
            verdict = session.verdict()
            if verdict:
                # It breaks a rule, is too large, say: it would be the same again.
                text = _text("the result was refused: %s" % verdict)
                session.end({"status": self.status["ERROR"], "error": text}, True)
                session.verdict()
        finally:
            with self._lock:
                self._sessions.remove(session)
                self._lock.notify_all()

    def _outcome(self, session: "_Session") -> Dict[str, Any]:
        context, failed, back = session.context, {"status": self.status["ERROR"]}, {"status": self.status["BEGIN"]}
        try:
            text = self._run_handler(context)
            return {"status": self.status["FINISHED"], **({} if text is None else {"output": text})}
        except UnrecoverableError as error:
            return {**failed, "error": _text(str(error) or "UnrecoverableError")}
        except RetryLater as error:
            delay = min(math.ceil(error.seconds), LONGEST_DELAY)
            return {**failed, "error": _text(str(error)), "retry": True, "delay": delay}
        except _NotReady as error:
            log.error("%s is given back: %s", session.id, error)
            session.end(back)
            session.verdict()
            self._closing.wait(_backoff(6))  # Its place rests: the next task would fare alike.
            return back
        except BaseException as error:  # Whatever goes wrong in the work is the task's failure, not the worker's.
            # A signal to the whole group may have reached the handler's process before it reached this one.
            if context.reason == "shutdown" or (isinstance(error, _ChildDied) and self._closing.wait(0.5)):
                return back
            text = str(error) if isinstance(error, _ChildFailed) else _describe(error)
            if not session.ended:  # It may have raised Stopped, as it was told to.
                log.warning("%s failed: %s", session.id, text)
            return {**failed, "error": _text(text), "retry": True}

    def _run_handler(self, context: Context) -> Optional[str]:
        assert self._handler is not None
        if not self.processes:
            return _output(self._handler(context))
        with self._lock:
            for dead in [child for child in self._children if not child.alive]:
                self._children.remove(dead)
            child = next((child for child in self._children if not child.busy), None)
            if child is None:
                if self._closing.is_set():
                    raise _NotReady("the worker closes")
                # Still under the lock: who ends the processes shall miss none.
                child = _Child(self._handler)
                self._children.append(child)
            child.busy = True
        try:
            while not child.ready(0.1):
                context.check()
            return child.run(context)
        finally:
            child.busy = False

    def _start_process(self) -> None:
        """Starts the first one, before anything is claimed: where it finds no handler, none would."""
        assert self._handler is not None
        try:
            child = _Child(self._handler)
            self._children.append(child)
            while self._goes_on(0) and not child.ready(0.1):
                pass
        except _NotReady as error:
            # A signal to the whole group may have reached it before it heeded none.
            if self._goes_on(0.5) and self._goes_on(0):
                raise ImportError(
                    "%s. With processes=True the handler must be a function at the top of a module that can be "
                    'imported, and a program must call run() under `if __name__ == "__main__":`' % error
                ) from None

    # Reporting: one thread says what the sessions have to say, as many as are due in one request.

    def _report(self) -> None:
        failures = 0
        while True:
            with self._lock:
                now = time.monotonic()
                due = [session for session in self._sessions if session.due() <= now]
                not_before = self._not_before
                if now < not_before or not due:
                    if self._silent:
                        return
                    times = [session.due() for session in self._sessions]
                    self._lock.wait(max(min([not_before if now < not_before else now + 60, *times]), not_before) - now)
                    continue
                due.sort(key=lambda session: not session.ended)
                batch = [(session, session.take()) for session in _fitting(due)]
            try:
                error = self._send(batch)
            except Exception as problem:  # Whatever it is, it must not end the thread that holds the leases.
                error = self._again(batch, TaskError(_describe(problem)))
            if error is None:
                failures = 0
            else:
                failures += 1
                if failures == 1:
                    log.warning("the queue can't be reached, trying on: %s", error)
                # Longer pauses would cost the leases.
                longest = min(self.heartbeat / 2, 0.5 if self._hurried else math.inf)
                self._not_before = time.monotonic() + _backoff(failures, error.retry_after, longest)

    def _send(self, batch: List[Tuple["_Session", Dict[str, Any]]]) -> Optional[TaskError]:
        """Answers why what was said must be said again."""
        body = {"reports": [{"taskId": s.id, "leaseToken": s.token, **words} for s, words in batch]}
        try:
            answers = self._reports.send("PUT", body, {}, min(10.0, self.lease / 2))["list"]
        except TaskError as error:
            if error.retryable or error.forbidden or (len(batch) == 1 and not error.refused):
                return self._again(batch, error)
            if len(batch) == 1:
                batch[0][0].answer(error, batch[0][1])
                return None
            # One bad report spoils the request of many: each is sent for itself, while the queue can be reached.
            again: Optional[TaskError] = None
            for number, one in enumerate(batch, 1):
                failed = self._send([one])
                if failed and (failed.retryable or failed.forbidden):
                    return self._again(batch[number:], failed)
                again = again or failed
            return again
        again = None
        # One that was not answered is said again, too.
        for (session, words), answer in zip(batch, [*answers, *({} for _ in batch)]):
            if answer.get("status") == 1:
                session.answer(None, words)
                continue
            data = answer.get("data") or {}
            code, detail = data.get("code", 0), data.get("detail")
            refusal = TaskError(str(data.get("msg")), 400, code, detail)
            if code in (0, self.codes["UNAVAILABLE"], self.codes["TOO_MANY_REQUESTS"]):
                again = self._again([(session, words)], TaskError(str(refusal)))
            elif code in (self.codes["LEASE_LOST"], self.codes["NOT_FOUND"]):
                task = detail.get("task", {}) if isinstance(detail, dict) else {}
                session.lose("cancelled" if task.get("status") == self.status["CANCELLED"] else "lost")
            else:
                session.answer(refusal, words)
        return again

    def _again(self, batch: List[Tuple["_Session", Dict[str, Any]]], error: TaskError) -> TaskError:
        with self._lock:
            for session, words in batch:
                session.put_back(words)
        return error

    # Stopping

    def _shut_down(self, claimer: threading.Thread, reporter: threading.Thread) -> None:
        deadline = time.monotonic() + self.shutdown_timeout
        with self._lock:
            self._hurried, self._not_before = True, 0.0
            self._lock.notify_all()
        claimer.join(max(self.shutdown_timeout, 3))
        self._wait_for_sessions(deadline)
        for session in list(self._sessions):
            session.context._tell("shutdown")
        self._wait_for_sessions(time.monotonic() + GRACE)
        for session in list(self._sessions):
            session.end({"status": self.status["BEGIN"]})
        deadline = time.monotonic() + LAST_WORDS
        with self._lock:
            while any(not session.over.is_set() for session in self._sessions) and time.monotonic() < deadline:
                self._lock.wait(0.1)
            self._silent = True
            self._lock.notify_all()
        reporter.join(1)

    def _wait_for_sessions(self, deadline: float) -> None:
        with self._lock:
            while self._sessions and time.monotonic() < deadline:
                self._drop_lapsed()
                self._lock.wait(min(1.0, max(deadline - time.monotonic(), 0)))

    def _drop_lapsed(self) -> None:
        """Tells handlers whose leases have run out while the queue could not be reached: others have their tasks."""
        with self._lock:
            for session in self._sessions:
                if session.lapsed():
                    session.lose("lost")


class _Session:
    """One task in work: what its handler says, in order, until the end."""

    def __init__(self, task: Dict[str, Any], token: str, worker: Worker):
        self.id, self.token, self._worker, self._lock = task["taskId"], token, worker, worker._lock
        self.context = Context(task, self._say)
        self.ended = False
        self.over = threading.Event()
        self._words: Dict[str, Any] = {}
        # When something was last said, and when what was last taken was.
        self._said_at = self._held_at = time.monotonic()
        self._last_progress = 0.0
        self._refusal: Optional[TaskError] = None

    def due(self) -> float:
        """When something is to be said, by the monotonic clock."""
        if self.over.is_set():
            return math.inf
        if self.ended:
            return 0.0 if "status" in self._words else math.inf
        beat = self._said_at + 0.9 * self._worker.heartbeat
        return min(beat, self._last_progress + self._worker.progress_interval) if self._words else beat

    def lapsed(self) -> bool:
        """Whether its lease has surely run out. A last word is said all the same: perhaps nobody has looked yet."""
        return not self.ended and time.monotonic() > self._held_at + self._worker.lease + SWEEP

    def take(self) -> Dict[str, Any]:
        words, self._words, self._said_at = self._words, {}, time.monotonic()
        if words:
            self._last_progress = self._said_at
        return words

    def put_back(self, words: Dict[str, Any]) -> None:
        self._words = {**words, **self._words}
        self.renew()

    def renew(self) -> None:
        """Something is to be said at once."""
        self._said_at = -math.inf

    def end(self, words: Dict[str, Any], anew: bool = False) -> None:
        """The last word, with what is still unsaid."""
        with self._lock:
            if self.ended and not anew:
                return
            self.ended = True
            if anew:
                self.over.clear()
            self._words = {**self._words, **words}
            self._lock.notify_all()

    def verdict(self) -> Optional[TaskError]:
        """Waits for the answer to the last word: an error where it was refused."""
        self.over.wait()
        return self._refusal

    def answer(self, refusal: Optional[TaskError], words: Dict[str, Any]) -> None:
        if refusal:
            log.error("%s: a report was refused: %s", self.id, refusal)
        else:
            self._held_at = self._said_at
        if "status" not in words:
            return
        if refusal and "temp" in words:
            # A checkpoint that breaks a rule shall not take the result with it.
            with self._lock:
                return self.put_back({name: value for name, value in words.items() if name != "temp"})
        # A give-back that is refused has not failed: its lease runs out.
        self._refusal = None if words["status"] == self._worker.status["BEGIN"] else refusal
        self.over.set()
        if not refusal:
            given_back = words["status"] == self._worker.status["BEGIN"]
            log.info("%s given back" if given_back else "%s reported its end", self.id)

    def lose(self, reason: str) -> None:
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
                self._words.update(words)
                self._lock.notify_all()


def _fitting(sessions: List[_Session]) -> List[_Session]:
    """As many as go into one request, which the server bounds to 100 reports and 1 MiB."""
    chars, fitting = 0, sessions[:0]
    for session in sessions[:100]:
        chars += 200 + sum(len(str(value)) for value in session._words.values())
        if fitting and chars > 150_000:
            break
        fitting.append(session)
    return fitting


class _Answer(io.RawIOBase):
    """What comes back, until a deadline for all of it: a socket's time-out begins anew with each byte."""

    def __init__(self, sock: socket.socket, deadline: float):
        self.received, self._sock, self._deadline = 0, sock, deadline
        self._raw: Any = sock.makefile("rb", buffering=0)

    def makefile(self, *_: Any) -> io.BufferedReader:
        """What http.client asks its socket for."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        received: int = self._raw.readinto(buffer)
        self.received += received
        if self.received > LONGEST_ANSWER:
            raise OSError("the answer is longer than %d bytes" % LONGEST_ANSWER)
        return received

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Http:
    """The worker routes of one server, for one thread: a connection is kept for what follows soon."""

    def __init__(self, base_url: str, uri: str, token: Token):
        url = urllib.parse.urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("base_url must be an http:// or https:// URL, not %r" % (base_url,))
        self._tls = ssl.create_default_context() if url.scheme == "https" else None
        # Without a port http.client takes the end of an IPv6 address for one.
        self._host, self._port = url.hostname, url.port or (443 if self._tls else 80)
        self._path, self._token = url.path.rstrip("/") + uri, token
        if isinstance(token, str):
            self._bearer()
        self._connection: Optional[http.client.HTTPConnection] = None
        self._used_at = 0.0
        self._poll: Optional[http.client.HTTPConnection] = None
        self._interrupted = False
        self.resent = False  # The last request went out twice.

    def send(
        self, method: str, body: Any, headers: Dict[str, str], timeout: float, interruptible: bool = False
    ) -> Dict[str, Any]:
        deadline, data = time.monotonic() + timeout, json.dumps(body).encode()
        headers = {"Authorization": self._bearer(), "Content-Type": "application/json", **headers}
        if time.monotonic() - self._used_at > REST:
            self.close()
        self.resent = False
        while True:
            kept, answer = self._connection, None
            try:
                connection = self._connection = kept or self._new(min(CONNECT, _left(deadline)))
                self._poll = connection if interruptible else None
                if interruptible and self._interrupted:
                    raise OSError("interrupted")
                if not kept:
                    connection.connect()
                connection.sock.settimeout(_left(deadline))
                answer = _Answer(connection.sock, deadline)
                connection.response_class = lambda _, **more: http.client.HTTPResponse(answer, **more)  # type: ignore
                connection.request(method, self._path, data, headers)
                response = connection.getresponse()
                text = response.read()
                break
            except Exception as error:  # http.client has its own, and others.
                self.close()
                if answer:
                    answer.close()
                # It was closed while it rested. Nothing is done twice: claims have keys, reports have leases.
                self.resent = bool(kept and not isinstance(error, socket.timeout) and not (answer and answer.received))
                if not self.resent:
                    raise TaskError("%s: %s" % (type(error).__name__, error)) from error
            finally:
                self._poll = None
        if response.will_close:
            self.close()
        self._used_at = time.monotonic()
        return self._data(response, text)

    def interrupt(self) -> None:
        """Ends a poll that waits, and those to come."""
        self._interrupted = True
        connection = self._poll
        try:
            if connection and connection.sock:
                connection.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _new(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)

    def _bearer(self) -> str:
        token = (self._token() if callable(self._token) else self._token).strip()
        if not (token.isascii() and token.isprintable()):
            raise ValueError("token must be printable ASCII, as an HTTP header is")
        return "Bearer " + token

    @staticmethod
    def _data(response: http.client.HTTPResponse, text: bytes) -> Dict[str, Any]:
        try:
            envelope = json.loads(text)
        except ValueError:
            envelope = None
        if isinstance(envelope, dict) and response.status == 200 and envelope.get("status") == 1:
            return envelope["data"]
        seconds = _retry_after(response.headers.get("Retry-After", ""))
        data = envelope.get("data") if isinstance(envelope, dict) else None
        if isinstance(data, dict) and isinstance(data.get("code"), int):
            message = "HTTP %d: %s" % (response.status, data.get("msg"))
            raise TaskError(message, response.status, data["code"], data.get("detail"), seconds)
        start = text[:200].decode(errors="replace")
        message = "HTTP %d, and no answer of the queue's: %r. Is base_url right?" % (response.status, start)
        raise TaskError(message, response.status, 0, None, seconds)


class _ChildFailed(Exception):
    """A handler failed in its process."""


class _ChildDied(_ChildFailed):
    """The process itself ended."""


class _NotReady(Exception):
    """There is no process for a handler: no task is to blame."""


class _Child:
    """A process that runs handlers, one after the other: the worker's own threads never wait for its GIL."""

    def __init__(self, handler: Handler):
        # Spawned: CUDA and threads don't outlive a fork.
        spawn = multiprocessing.get_context("spawn")
        self._pipe, theirs = spawn.Pipe()
        args = (theirs, getattr(handler, "__module__", ""), getattr(handler, "__qualname__", repr(handler)))
        # No daemon, which could have no processes of its own: a Pool, a DataLoader's workers.
        self._process = spawn.Process(target=_child_main, args=args, daemon=False)
        try:
            self._process.start()
        except OSError as error:
            raise _NotReady("a process can't be started: %s" % error) from error
        finally:
            theirs.close()
        self.busy, self._ready = False, False

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def ready(self, seconds: float) -> bool:
        """Whether it has found its handler, after that long at most. Raises _NotReady where it never will."""
        if self._ready:
            return True
        try:
            kind, value = self._receive(seconds)
        except _ChildDied as error:
            raise _NotReady(str(error)) from None
        if kind == "missing":
            self.kill()
            raise _NotReady("a process does not find the handler: %s" % value)
        self._ready = kind == "ready"
        return self._ready

    def run(self, context: Context) -> Optional[str]:
        told = False
        self._send("task", context.task)
        while True:
            if context.cancelled and not told:
                told = True
                self._send("stop", context.reason)
            kind, value = self._receive(0.1)
            if kind == "words":
                context._say(value)
            elif kind == "output":
                return value
            elif kind == "unrecoverable":
                raise UnrecoverableError(value)
            elif kind == "later":
                raise RetryLater(*value)
            elif kind == "failure":
                raise _ChildFailed(value)

    def kill(self) -> None:
        if self.alive:  # Another's process may have its number by now, otherwise.
            _end_group(self._process.pid)
            self._process.kill()
            self._process.join(1)

    def _send(self, kind: str, value: Any) -> None:
        try:
            self._pipe.send((kind, value))
        except OSError as error:
            raise self._died() from error

    def _receive(self, seconds: float) -> Tuple[Optional[str], Any]:
        try:
            if self._pipe.poll(seconds):
                return self._pipe.recv()
            # Processes of its own may hold the pipe open when it has died.
            if self.alive or self._pipe.poll():
                return None, None
        except (EOFError, OSError) as error:
            raise self._died() from error
        raise self._died()

    def _died(self) -> _ChildDied:
        self._process.join(1)
        code = self._process.exitcode
        _end_group(self._process.pid)
        self.kill()
        return _ChildDied("the process of the handler died, exit code %s" % code)


def _end_group(pid: Any) -> None:
    """Ends a process with those that it has started, where there are groups, and it has one."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (AttributeError, OSError):
        pass


def _child_main(pipe: Any, module: str, name: str) -> None:
    """What runs in the process: the parent alone decides when it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # systemd sends it to every process. Not SIG_IGN: the handler's own subprocesses would inherit that.
        signal.signal(number, lambda *_: None)
        if hasattr(os, "register_at_fork"):  # Its forks heed it: a Pool ends its workers so.
            os.register_at_fork(after_in_child=partial(signal.signal, number, signal.SIG_DFL))
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    lock = threading.Lock()
    contexts: List[Context] = []

    def say(kind: str, value: Any) -> None:
        with lock:
            pipe.send((kind, value))

    def work(context: Context) -> None:
        try:
            say("output", _output(handler(context)))
        except UnrecoverableError as error:
            say("unrecoverable", str(error))
        except RetryLater as error:
            say("later", (error.seconds, str(error)))
        except BaseException as error:
            say("failure", _describe(error))

    try:
        handler: Any = importlib.import_module(module)
        for part in name.split("."):
            handler = getattr(handler, part)
        if isinstance(handler, Worker):  # Its decorator took the name.
            handler = handler._handler
    except BaseException as error:
        return say("missing", _describe(error))
    say("ready", None)
    while True:
        try:
            kind, value = pipe.recv()
        except (EOFError, OSError):  # The parent is gone: neither the handler nor what it has started goes on.
            _end_group(os.getpid())
            os._exit(1)
        if kind == "task":
            contexts[:] = [Context(value, lambda words: say("words", words))]
            threading.Thread(target=work, args=(contexts[0],), daemon=True).start()
        else:
            contexts[0]._tell(value)


def _output(output: Any) -> Optional[str]:
    """As the queue takes it; the same would be no JSON again."""
    if output is None or isinstance(output, str):
        return output
    try:
        return json.dumps(output, allow_nan=False)
    except Exception as error:
        raise UnrecoverableError("the output is no JSON: %s" % _describe(error)) from error


def _check(name: str, value: Any, least: float, most: float) -> None:
    whole = isinstance(most, int)
    if not isinstance(value, int if whole else (int, float)) or not least <= value <= most:
        kind = "an integer" if whole else "a number"
        raise ValueError("%s must be %s from %g to %g, not %r" % (name, kind, least, most, value))


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise socket.timeout("no answer in time")
    return seconds


def _retry_after(text: str) -> float:
    """Seconds; they may be said as a date."""
    try:
        return float(text) if text.isdecimal() else email.utils.parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return 0.0


def _backoff(failures: int, retry_after: float = 0.0, longest: float = 30.0) -> float:
    """Seconds before the next try: doubled each time, at random between half and whole, so that none come together.

    Never less than the server asked for, but for `longest`.
    """
    doubled = min(0.2 * 2.0 ** min(failures - 1, 10), 10.0, longest)
    return max(doubled * random.uniform(0.5, 1.0), min(retry_after, longest) * random.uniform(1, 1.1))


def _describe(error: BaseException) -> str:
    """What was raised, in words: a text that raises itself is none."""
    try:
        return "%s: %s" % (type(error).__name__, error)
    except Exception:
        return type(error).__name__


def _text(text: str) -> str:
    """As every database takes it."""
    return text[:4000].replace("\0", "").encode("utf-8", "replace").decode()
