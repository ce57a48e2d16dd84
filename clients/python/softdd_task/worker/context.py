"""The argument of a handler."""

import os
import threading
from typing import Any, Callable, Dict, List, Optional

from ..api_types import WorkerTask
from ..errors import TaskStopped


class Context:
    """What a handler gets: its task, a way to report progress, and the signal to stop."""

    def __init__(self, task: WorkerTask, say: Callable[[Dict[str, Any]], None]):
        #: The task as the server returned it: taskId, service, input, args, attempt and so on.
        self.task = task
        #: The last `temp` of an earlier attempt; empty where there is none.
        self.checkpoint: str = task.get("temp") or ""
        #: Why the handler must stop: 'cancelled', 'lost' or 'shutdown'. None while it may continue.
        self.reason: Optional[str] = None
        self._say, self._process = say, os.getpid()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._calls: List[Callable[[], Any]] = []

    def progress(self, percent: float, temp: Optional[str] = None) -> None:
        """Reports the percentage done and, as `temp`, the checkpoint from which the next attempt can continue.

        Call it as often as you like. Only the newest values are sent, once every `progress_interval` seconds.
        """
        if not percent >= 0:
            raise ValueError("progress takes percent, from 0 to 100, not %r" % (percent,))
        if temp is not None and not isinstance(temp, str):
            raise TypeError("the checkpoint must be a str, not %s" % type(temp).__name__)
        # In a forked child nobody sends the report, and the lock may be one that a thread of the parent held.
        if os.getpid() != self._process:
            raise RuntimeError("progress() works only in the handler's process, not in a process forked from it")
        words: Dict[str, Any] = {"progress": int(min(percent, 100))}
        if temp is not None:
            words["temp"] = temp
        self._say(words)

    @property
    def cancelled(self) -> bool:
        """Whether the handler must stop, for any reason."""
        return self._stop.is_set()

    def check(self) -> None:
        """Raises TaskStopped when the handler must stop."""
        if self.cancelled:
            raise TaskStopped(self.reason or "lost")

    def sleep(self, seconds: float) -> bool:
        """Sleeps, and wakes early when the handler must stop. Returns whether it must.

        Use asyncio.sleep() in an `async def` handler: this method would block the event loop of all handlers.
        """
        return self._stop.wait(seconds)

    def _tell(self, reason: str) -> None:
        """Signals the handler to stop. The first reason stays."""
        with self._lock:
            self.reason = self.reason or reason
            calls, self._calls = self._calls, []
            self._stop.set()
        for call in calls:
            call()

    def _on_stop(self, call: Callable[[], Any]) -> None:
        """Registers a function to call when the handler must stop; calls it now if that is so already."""
        with self._lock:
            if not self._stop.is_set():
                return self._calls.append(call)
        call()
