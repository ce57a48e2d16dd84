"""Waits until a task or a batch has ended."""

import random
import time
from typing import Callable, Optional, Tuple, TypeVar

from .backoff import backoff
from .errors import TaskApiError, WaitTimeoutError

# Seconds until the second look.
FIRST_LOOK = 0.25
# Seconds that each look may take, even when less is left until the time-out.
LEAST_LOOK = 0.25

Seen = TypeVar("Seen")


def wait_for_end(
    kind: str,
    item_id: str,
    timeout: float,
    interval: float,
    most: float,
    look: Callable[[float], Tuple[Seen, bool]],
    hears_end: Optional[Callable[[float, float], bool]] = None,
) -> Seen:
    """Looks at it until it has ended. If the queue is away meanwhile, it tries again.

    kind       `task` or `batch`, for the error
    most       the most seconds that a look may take
    look       what is there, and whether it has ended
    hears_end  listens for its end, given the seconds between two looks by now and those that are left

    After `timeout` seconds it raises WaitTimeoutError, or the last failure where no look was answered.
    """
    deadline, gap = time.monotonic() + timeout, FIRST_LOOK
    seen: Optional[Seen] = None
    while True:
        rest, failure = gap * random.uniform(0.8, 1.0), None
        try:
            seen, has_ended = look(min(max(deadline - time.monotonic(), LEAST_LOOK), most))
            if has_ended:
                return seen
        except TaskApiError as error:
            if not error.retryable:
                raise
            rest, failure = max(rest, backoff(1, error.retry_after)), error
        left = deadline - time.monotonic()
        if left <= 0:
            if seen is None and failure:
                raise failure
            message = "%s %s has not ended within %g s" % (kind, item_id, timeout)
            raise WaitTimeoutError(message, detail={kind: seen}) from failure
        until = time.monotonic() + min(rest, left)
        if failure or hears_end is None or not hears_end(gap, left):
            time.sleep(max(until - time.monotonic(), 0))
        gap = min(gap * 1.5, interval)
