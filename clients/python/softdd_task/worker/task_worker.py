"""The worker as a program uses it: its options, its handler, run() and close()."""

import atexit
import os
import socket
import sys
import uuid
from types import TracebackType
from typing import Any, Dict, Optional, Type

from ..api_types import STATUS
from ..errors import ERROR_CODE, TaskApiError
from ..transport import Server, Token
from . import forks
from .outcome import Handler, check_handler
from .runner import Runner
from .signals import Signals


class Worker:
    """Claims tasks, runs a handler on up to `concurrency` of them at once, and reports the results.

    base_url           the address of the server: the part before /api/crontask
    token              a worker's token, or a function that returns it; the function is called before each request
    service, group     claim only tasks of these
    concurrency        tasks at once, 1 to 1,000
    lease              seconds that the server reserves a task without a report, 3 to 86,400
    heartbeat          seconds between two reports of a task, at most; a cancel is noticed within that time. At least
                       0.1, at most half of the lease; a third of the lease by default
    wait               seconds that a claim waits for a task, 0 to 30
    progress_interval  seconds between two reports of a task's progress, 0.05 to 3,600
    shutdown_timeout   seconds that handlers may continue after SIGTERM, 0 to 86,400; then their tasks are given back
    processes          run the handlers in processes, at most `concurrency` of them, which are reused. The handler must
                       be a function at the top of a module that can be imported
    traceback          store the last 4 KB of the traceback in a failed task's `error`, which the task's owner can read
    worker_id          the worker's name, kept with its tasks, 1 to 64 characters; host and process id by default
    uri                the path of the worker routes, where the host has moved them
    status             the host's own integers of statuses, under the names of `STATUS`
    codes              the host's own codes of failures, under the names of `ERROR_CODE`
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
        traceback: bool = True,
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
        self.service, self.group, self.uri = service, group, uri
        self.concurrency, self.lease, self.wait = concurrency, lease, wait
        self.processes, self.traceback = processes, traceback
        self.progress_interval, self.shutdown_timeout = progress_interval, shutdown_timeout
        self.status, self.codes = {**STATUS, **(status or {})}, {**ERROR_CODE, **(codes or {})}
        self._worker_id, self._own_id = worker_id, (0, "")
        self._server = Server(base_url, token)
        self._handler: Optional[Handler] = None
        self._runner: Optional[Runner] = None
        self._closed = False

    def __call__(self, handler: Handler) -> "Worker":
        """Sets the handler; use it as a decorator.

        Raises TypeError for a generator function, since its body would never run.
        """
        check_handler(handler)
        self._handler = handler
        return self

    @property
    def worker_id(self) -> str:
        """The worker's name. By default it has the host and the process in it, so a fork has a name of its own."""
        if self._worker_id is not None:
            return self._worker_id
        process = os.getpid()
        if self._own_id[0] != process:
            self._own_id = (process, "%s:%d:%s" % (socket.gethostname()[:40], process, uuid.uuid4().hex[:8]))
        return self._own_id[1]

    def run(self, handle_signals: bool = True) -> None:
        """Works until SIGTERM, SIGINT or close(). Raises TaskApiError when the server refuses this worker.

        Only the main thread can handle signals. A second signal ends the process. Pass `handle_signals=False` when the
        program has signal handlers of its own, and call close() in them.
        """
        if self._handler is None:
            raise TypeError("give the worker its handler first: Worker(…)(handler)")
        if self._runner and self._runner.process == os.getpid():
            raise RuntimeError("this worker runs already: make another one, or give it more `concurrency`")
        runner = self._runner = Runner(self, self._handler)
        if self._closed:
            runner.close()
        signals = Signals(runner.signal)

        def forked() -> None:
            signals.forked()
            runner.forked()

        # The interpreter may end while this thread does not. multiprocessing.util would then wait for the handlers'
        # processes without an end. It was imported before, so this function runs first.
        atexit.register(runner.abandon)
        forks.watch(forked)
        try:
            if handle_signals:
                signals.handle()
            runner.run()
        finally:
            runner.abandon()
            atexit.unregister(runner.abandon)
            forks.forget(forked)
            signals.restore()
            self._runner = None
        if runner.refused:
            _print_in_one_line(runner.refused)
            raise runner.refused.with_traceback(None)

    def close(self) -> None:
        """Stops claiming, and returns at once.

        run() returns when the handlers have ended, or when their tasks are given back.
        """
        runner = self._runner
        if runner and runner.process != os.getpid():  # In a forked child the runner is the parent's, which goes on.
            return
        self._closed = True
        if runner:
            runner.close()


def _print_in_one_line(error: TaskApiError) -> None:
    """Has Python print the error in one line where nobody catches it: a traceback explains no wrong token."""
    if sys.excepthook is not sys.__excepthook__:  # The program prints its exceptions in its own way.
        return

    def hook(kind: Type[BaseException], value: BaseException, trace: Optional[TracebackType]) -> None:
        if value is error:
            print("softdd_task: the server refuses this worker: %s" % error, file=sys.stderr)
        else:
            sys.__excepthook__(kind, value, trace)

    sys.excepthook = hook


def _check(name: str, value: Any, least: float, most: float) -> None:
    """Raises ValueError for an option out of its range. It must be an integer where `most` is one."""
    whole = isinstance(most, int)
    if not isinstance(value, int if whole else (int, float)) or not least <= value <= most:
        kind = "an integer" if whole else "a number"
        raise ValueError("%s must be %s from %g to %g, not %r" % (name, kind, least, most, value))
