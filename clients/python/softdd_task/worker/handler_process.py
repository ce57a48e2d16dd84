"""A process that runs handlers, one after the other: the parent's side, and what runs in it."""

import importlib
import multiprocessing
import multiprocessing.util  # noqa: F401  It must register its atexit function before Worker.run() registers one.
import os
import signal
import threading
from functools import partial
from typing import Any, List, Optional, Tuple

from ..errors import describe
from .context import Context
from .event_loop import Loop
from .outcome import Handler, Outcome, perform


class ProcessDied(Exception):
    """A handler's process ended by itself."""


class NotReady(Exception):
    """No process can run the handler. The task is not the cause."""


class HandlerProcess:
    """A process with its handler, as the worker's process sees it. They exchange pairs of a kind and a value."""

    def __init__(self, handler: Handler):
        # Spawned, because CUDA and threads do not survive a fork.
        spawn = multiprocessing.get_context("spawn")
        self.pipe, theirs = spawn.Pipe()
        args = (theirs, getattr(handler, "__module__", ""), getattr(handler, "__qualname__", repr(handler)))
        # Not a daemon: a daemonic process can't start processes, such as a Pool or a DataLoader's workers.
        self._process = spawn.Process(target=_main, args=args, daemon=False)
        try:
            self._process.start()
        except OSError as error:
            raise NotReady("a process can't be started: %s" % error) from error
        finally:
            theirs.close()
        self.busy, self._ready = False, False

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def ready(self, seconds: float) -> bool:
        """Waits at most that long for the process to find its handler. Raises NotReady if it can't."""
        if self._ready:
            return True
        try:
            kind, value = self._receive(seconds)
        except ProcessDied as error:
            raise NotReady(str(error)) from None
        if kind == "missing":
            self.kill()
            raise NotReady("a process does not find the handler: %s" % value)
        self._ready = kind == "ready"
        return self._ready

    def run(self, context: Context, traceback: bool) -> Outcome:
        """Has the process run its handler. Raises ProcessDied when the process ends first."""
        told = False
        self._send("task", (context.task, traceback))
        while True:
            if context.cancelled and not told:
                told = True
                self._send("stop", context.reason)
            kind, value = self._receive(0.1)
            if kind == "words":
                context._say(value)
            elif kind == "outcome":
                return Outcome(*value)

    def kill(self) -> None:
        """Kills the process and all that it has started."""
        if self.alive:  # The id of a dead process may belong to another one by now.
            _end_group(self._process.pid)
            self._process.kill()
            self._process.join(1)

    def _send(self, kind: str, value: Any) -> None:
        try:
            self.pipe.send((kind, value))
        except OSError as error:
            raise self._died() from error

    def _receive(self, seconds: float) -> Tuple[Optional[str], Any]:
        """The next message; (None, None) where none comes in that time."""
        try:
            if self.pipe.poll(seconds):
                kind, value = self.pipe.recv()
                return kind, value
            # A dead process is noticed by its state as well: its own children may hold the pipe open.
            if self.alive or self.pipe.poll():
                return None, None
        except (EOFError, OSError) as error:
            raise self._died() from error
        raise self._died()

    def _died(self) -> ProcessDied:
        self._process.join(1)
        code = self._process.exitcode
        _end_group(self._process.pid)
        self.kill()
        return ProcessDied("the process of the handler died, exit code %s" % code)


def _end_group(pid: Any) -> None:
    """Kills a process group, where the system has groups and this one exists."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (AttributeError, OSError):
        pass


def _main(pipe: Any, module: str, name: str) -> None:
    """Runs in the process. Only the parent decides when it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # systemd signals every process of a service. A function ignores the signal here; with SIG_IGN the handler's
        # subprocesses would inherit that.
        signal.signal(number, lambda *_: None)
        if hasattr(os, "register_at_fork"):  # Forks heed signals again: a Pool ends its workers by SIGTERM.
            os.register_at_fork(after_in_child=partial(signal.signal, number, signal.SIG_DFL))
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)

    lock, loop = threading.Lock(), Loop()
    contexts: List[Context] = []

    def say(kind: str, value: Any) -> None:
        with lock:
            pipe.send((kind, value))

    def work(handler: Handler, context: Context, traceback: bool) -> None:
        say("outcome", tuple(perform(handler, context, loop, traceback)))

    try:
        handler = _find(module, name)
    except BaseException as error:
        return say("missing", describe(error))
    say("ready", None)
    while True:
        try:
            kind, value = pipe.recv()
        except (EOFError, OSError):  # The parent is gone. The handler must end, with all that it has started.
            _end_group(os.getpid())
            os._exit(1)
        if kind == "task":
            task, traceback = value
            contexts[:] = [Context(task, lambda words: say("words", words))]
            threading.Thread(target=work, args=(handler, contexts[0], traceback), daemon=True).start()
        else:
            contexts[0]._tell(value)


def _find(module: str, name: str) -> Any:
    """Imports the handler by its module and its qualified name."""
    from .task_worker import Worker

    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    # Under its decorator, the handler's name stands for the worker.
    return found._handler if isinstance(found, Worker) else found
