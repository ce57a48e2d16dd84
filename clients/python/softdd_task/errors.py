"""The errors that the package raises, the errors that a handler raises, and how each is put into words."""

import math
import os
import traceback
from typing import Any, Dict, Optional, Tuple

#: Name of a failure -> its code, where the host has not chosen others.
ERROR_CODE: Dict[str, int] = {
    "INVALID_ACCESS": 14002,
    "INVALID_TOKEN": 10001,
    "NOT_FOUND": 14001,
    "TOO_MANY_TASK": 14003,
    "INVALID_PARAM": 14004,
    "LEASE_LOST": 14005,
    "INVALID_STATE": 14006,
    "IDEMPOTENCY_CONFLICT": 14007,
    "TOO_LARGE": 14008,
    "TOO_MANY_REQUESTS": 14009,
    "UNSUPPORTED_MEDIA_TYPE": 14010,
    "UNAVAILABLE": 14011,
    "INTERNAL": 14012,
}

# Bytes of a traceback that a task's `error` keeps: the last ones.
TRACEBACK = 4096
# Characters of a message that a task's `error` keeps.
MESSAGE = 4000
# The folder of this package, to tell its frames from others.
_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep


class TaskApiError(Exception):
    """A request failed: the server answered with a failure, or did not answer (`http_status` is 0 then).

    http_status   the HTTP status of the answer
    code          the failure's code, see ERROR_CODE; 0 where the answer did not come from the queue
    detail        further facts from the server, such as the fields that are wrong
    retry_after   seconds that the server asks to wait; 0 where it does not
    """

    def __init__(self, message: str, http_status: int = 0, code: int = 0, detail: Any = None, retry_after: float = 0):
        super().__init__(message)
        self.http_status, self.code, self.detail, self.retry_after = http_status, code, detail, retry_after
        # The queue has certainly done nothing: the connection never opened, or the queue says so by its own 429.
        self._undone = http_status == 429 and code != 0

    @property
    def retryable(self) -> bool:
        """Whether the same request may succeed later."""
        return self.http_status in (0, 408, 425, 429, 502, 503, 504)

    @property
    def away(self) -> bool:
        """Whether the queue is down for everybody: it answers 502 or 503, or its port refuses connections.

        Silence (a proxy reports it as 504) and a broken connection do not prove that: others may reach the queue.
        """
        return self.http_status in (502, 503) or isinstance(self.__cause__, ConnectionRefusedError)

    @property
    def refused(self) -> bool:
        """Whether the request breaks a rule of the queue, so that sending it again is useless.

        Only the queue itself can say that. A proxy without a route, a guard that fails, an HTML page say nothing about
        the task. 413 is the exception: a body that is too large stays too large.
        """
        return self.http_status == 413 or (self.code != 0 and self.http_status in (400, 415, 422))

    @property
    def forbidden(self) -> bool:
        """Whether the queue itself rejects the token. 430 is a status of this queue."""
        return self.code != 0 and self.http_status in (401, 403, 430)


class WaitTimeoutError(TaskApiError):
    """The time-out of `wait_for` has passed. `detail["task"]` is the task as it was seen last."""

    @property
    def retryable(self) -> bool:
        return False


class UnrecoverableError(Exception):
    """A handler raises this to fail the task for good: no further attempt follows."""


class RetryLater(Exception):
    """A handler raises this to fail the attempt and to have the next one start after `seconds`."""

    def __init__(self, seconds: float, message: Optional[str] = None, pause_service: Optional[float] = None):
        """`pause_service`: seconds for which the service is paused for all workers, such as after an API's 429."""
        if not 0 <= seconds < math.inf:
            raise ValueError("RetryLater takes seconds, 0 or more, not %r" % (seconds,))
        super().__init__(message or "again in %g s" % seconds)
        self.seconds, self.pause_service = seconds, pause_service

    def __reduce__(self) -> Tuple[Any, ...]:
        # A Pool hangs when it can't unpickle an exception.
        return type(self), (self.seconds, *self.args), {"pause_service": self.pause_service}


class TaskStopped(Exception):
    """`Context.check()` raises this when the handler must stop. `reason` is 'cancelled', 'lost' or 'shutdown'."""

    def __init__(self, reason: str):
        super().__init__("the task must stop: " + reason)
        self.reason = reason

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.reason,)


# The names of release 1.0.
TaskError, Stopped = TaskApiError, TaskStopped


def words_of(error: BaseException) -> str:
    """The text of an exception. It is empty where reading it raises, even SystemExit."""
    try:
        return "%s" % (error,)
    except BaseException:
        return ""


def describe(error: BaseException) -> str:
    """The type and the text of an exception."""
    text = words_of(error)
    return type(error).__name__ + (": " + text if text else "")


def traceback_of(error: BaseException) -> str:
    """The traceback, without this package's frames at the top and without the exception's text at the end."""
    try:
        trace = error.__traceback__
        while trace and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE):
            trace = trace.tb_next
        text = "".join(traceback.format_exception(type(error), error, trace))
        last = "".join(traceback.format_exception_only(type(error), error))
        text = (text[: -len(last)] if text.endswith(last) else text).rstrip()
        return text.encode("utf-8", "replace")[-TRACEBACK:].decode("utf-8", "ignore")
    except BaseException:  # Formatting calls the program's own code, which may raise.
        return ""


def storable(message: str, more: str = "") -> str:
    """A message, and a further text below it, in a form that every supported database can store."""
    text = message[:MESSAGE] + ("\n" + more if more else "")
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def problems_of(detail: Any) -> str:
    """The problems that the queue lists, each with its field and its rule, or its reason; empty where it names none."""
    if isinstance(detail, dict) and isinstance(detail.get("msg"), str):
        return " (%s)" % detail["msg"]
    if not isinstance(detail, list) or not detail:
        return ""
    problems = [each if isinstance(each, dict) else {} for each in detail]
    return " (%s)" % "; ".join("%s [%s: %s]" % (p.get("msg"), p.get("field"), p.get("rule")) for p in problems)
