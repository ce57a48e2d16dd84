"""Forks: what a child does first, and how a handler's fork ends.

A worker's threads, connections and signal handlers belong to one process. A child that is forked from it must not use
them.
"""

import os
from typing import Callable, List, NoReturn, Optional

# Functions that a forked child calls first, one for each worker at work in the parent. A list needs no lock, which a
# fork could copy in its locked state: its methods are atomic.
_watched: List[Callable[[], None]] = []


def watch(forked: Callable[[], None]) -> None:
    """Registers a function that each child calls as soon as it is forked."""
    _watched.append(forked)


def forget(forked: Callable[[], None]) -> None:
    """Removes a registered function."""
    if forked in _watched:
        _watched.remove(forked)


def end_fork(error: Optional[BaseException]) -> NoReturn:
    """Ends a process that a handler forked and that returned, or raised, as if it were the handler.

    The task belongs to the parent, so the child must not report it. Its exit code follows the exception.
    """
    code = error.code if isinstance(error, SystemExit) else 0 if error is None else 1
    os._exit(code & 255 if isinstance(code, int) else 0 if code is None else 1)


def _after_fork() -> None:
    watched = _watched[:]
    _watched.clear()
    for forked in watched:
        forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
