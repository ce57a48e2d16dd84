"""Handlers in processes of their own: they do not block the worker's threads, and a crash fails one task only."""

import threading
from typing import Callable, List

from .context import Context
from .handler_process import HandlerProcess, NotReady
from .handler_process import ProcessDied as ProcessDied  # It stays importable from here.
from .outcome import Handler, Outcome


class Processes:
    """The processes of a worker: at most one for each task at once. They are reused for the next tasks."""

    def __init__(self, handler: Handler, lock: threading.Condition, is_closing: Callable[[], bool], traceback: bool):
        self._handler, self._lock, self._is_closing, self._traceback = handler, lock, is_closing, traceback
        self.children: List[HandlerProcess] = []

    def start(self, goes_on: Callable[[float], bool]) -> None:
        """Starts the first process before the first claim. If that one does not find the handler, none will."""
        try:
            child = HandlerProcess(self._handler)
            self.children.append(child)
            while goes_on(0) and not child.ready(0.1):
                pass
        except NotReady as error:
            # A signal to the whole process group may have ended the child before it ignored signals.
            if goes_on(0.5) and goes_on(0):
                raise ImportError(
                    "%s. With processes=True the handler must be a function at the top of a module that can be "
                    'imported, and a program must call run() under `if __name__ == "__main__":`' % error
                ) from None

    def run(self, context: Context) -> Outcome:
        """Runs the handler in a free process. Raises NotReady where none can start, ProcessDied where it ends."""
        with self._lock:
            for dead in [child for child in self.children if not child.alive]:
                self.children.remove(dead)
            child = next((child for child in self.children if not child.busy), None)
            if child is None:
                if self._is_closing():
                    raise NotReady("the worker is closing")
                # Started under the lock, so that kill() misses no process.
                child = HandlerProcess(self._handler)
                self.children.append(child)
            child.busy = True
        try:
            while not child.ready(0.1):
                context.check()
            return child.run(context, self._traceback)
        finally:
            child.busy = False

    def kill(self) -> None:
        with self._lock:
            for child in self.children:
                child.kill()

    def forked(self) -> None:
        """Call this in a forked child of the worker's process.

        It closes the child's copies of the pipes. Otherwise a handler's process would not notice the worker's death.
        """
        for child in self.children:
            child.pipe.close()
