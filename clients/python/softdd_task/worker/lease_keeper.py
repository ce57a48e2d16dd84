"""Leases: when each must be renewed, and which have run out."""

import math
import threading
import time
from typing import TYPE_CHECKING, List

if TYPE_CHECKING:
    from .session import Session

# Seconds that the server may take to notice that a lease has run out.
SWEEP = 2.0
# A renewal leaves after this part of the heartbeat, so that it arrives within the heartbeat.
EARLY = 0.9


class Lease:
    """The lease of one task, by this process's clock."""

    def __init__(self, seconds: float, heartbeat: float):
        self._seconds, self._heartbeat = seconds, heartbeat
        # When the last report left, and when the lease is known to have been running.
        self._reported_at = self._held_at = time.monotonic()

    def reported(self) -> float:
        """Notes that a report leaves now. Returns the time."""
        self._reported_at = time.monotonic()
        return self._reported_at

    def hold(self) -> None:
        """Notes that the last report renewed the lease, or found the queue away: nobody else gets the task then."""
        self._held_at = max(self._held_at, self._reported_at)

    def renew(self) -> None:
        """Makes a renewal due at once."""
        self._reported_at = -math.inf

    def renewal_at(self) -> float:
        """When the next renewal is due."""
        return self._reported_at + EARLY * self._heartbeat

    def has_lapsed(self) -> bool:
        """Whether the lease has certainly run out, and the server has noticed."""
        return time.monotonic() > self._held_at + self._seconds + SWEEP


class LeaseKeeper:
    """Stops the handlers whose leases ran out while the queue could not be reached: others have their tasks now."""

    def __init__(self, lock: threading.Condition, sessions: "List[Session]"):
        self._lock, self._sessions = lock, sessions

    def stop_lapsed(self) -> None:
        with self._lock:
            for session in self._sessions:
                if session.lapsed():
                    session.lose("lost")
