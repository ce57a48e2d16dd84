"""Signals that close a worker."""

import signal
import threading
from typing import Any, Callable, Dict

# What process managers send to end a process, and what Ctrl+C sends.
CLOSING = (int(signal.SIGTERM), int(signal.SIGINT))


class Signals:
    """Calls a function at the first SIGTERM or SIGINT. A second one has its usual effect, and ends the process."""

    def __init__(self, stop: Callable[[], None]):
        self._stop = stop
        self._before: Dict[int, Any] = {}

    def handle(self) -> None:
        """Installs the signal handlers. Only the main thread can, so another thread installs none."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in CLOSING:
            # getsignal() returns None for a handler that C code installed; signal() can't put that one back.
            self._before[number] = signal.getsignal(number) or signal.SIG_DFL
        for number in CLOSING:
            signal.signal(number, self._received)

    def restore(self) -> None:
        """Puts the former signal handlers back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def forked(self) -> None:
        """Call this in a forked child, so that signals have their former effect: a Pool ends its workers by SIGTERM."""
        try:
            self.restore()
        except ValueError:  # The fork came from a thread of a subinterpreter, which has no signal handlers.
            pass

    def _received(self, *_: Any) -> None:
        self._stop()
        self.restore()
