"""The outcome of a handler: what it returned or raised, as the fields of a report."""

import functools
import inspect
import json
import math
import os
from typing import Any, Callable, Dict, NamedTuple, Optional

from ..errors import RetryLater, UnrecoverableError, describe, storable, traceback_of, words_of
from .context import Context
from .event_loop import Loop
from .forks import end_fork

Handler = Callable[[Context], Any]

# Seconds for which a worker may pause its service.
LONGEST_PAUSE = 86400
# Seconds that RetryLater may delay a task: the server takes no more than a year.
LONGEST_DELAY = 31_536_000


class Outcome(NamedTuple):
    """What became of an attempt.

    `end` is 'finished', 'failed' or 'released'. `words` are the fields of the report. `line` follows "failed" in the
    log.
    """

    end: str
    words: Dict[str, Any]
    line: str = ""

    @property
    def meant(self) -> bool:
        """Whether the handler raised UnrecoverableError or RetryLater. Such a failure counts even at shutdown."""
        return self.end == "failed" and ("delay" in self.words or not self.words.get("retry"))


def check_handler(handler: Any) -> None:
    """Raises TypeError for a value that can't be a handler."""
    function = handler
    while isinstance(function, functools.partial):
        function = function.func
    if not callable(function):
        raise TypeError("the handler must be a function, not %r" % (handler,))
    for each in (function, getattr(type(function), "__call__", None)):
        if inspect.isgeneratorfunction(each) or inspect.isasyncgenfunction(each):
            raise TypeError("the handler %r is a generator function (it has `yield`): return the output" % (handler,))


def perform(handler: Handler, context: Context, loop: Loop, traceback: bool) -> Outcome:
    """Runs the handler. Any exception fails the task and not the worker."""
    process = os.getpid()
    failure: Optional[BaseException] = None
    text = None
    try:
        output = handler(context)
        text = _text_of(loop.run(output, context) if inspect.isawaitable(output) else output)
    except BaseException as error:
        failure = error
    if os.getpid() != process:
        end_fork(failure)
    if failure is not None:
        return _failed(failure, traceback)
    return Outcome("finished", {} if text is None else {"output": text})


def _failed(error: BaseException, traceback: bool) -> Outcome:
    if isinstance(error, UnrecoverableError):
        text, trace = words_of(error) or "UnrecoverableError", traceback_of(error)
        return Outcome("failed", {"error": storable(text)}, _joined(" for good: " + text, trace))
    if isinstance(error, RetryLater):
        text = words_of(error) or "RetryLater"
        words = {"error": storable(text), "retry": True, "delay": min(math.ceil(error.seconds), LONGEST_DELAY)}
        if error.pause_service is not None:
            words["pauseService"] = min(max(math.ceil(error.pause_service), 1), LONGEST_PAUSE)
        return Outcome("failed", words, ": " + text)
    text, trace = describe(error), traceback_of(error)
    words = {"error": storable(text, trace if traceback else ""), "retry": True}
    return Outcome("failed", words, _joined(": " + text, trace))


def _joined(text: str, trace: str) -> str:
    return text + ("\n" + trace if trace else "")


def _text_of(output: Any) -> Optional[str]:
    """The output as the queue stores it. JSON that can't be written fails for good: a retry would return the same."""
    if output is None or isinstance(output, str):
        return output
    try:
        return json.dumps(output, allow_nan=False)
    except Exception as error:
        raise UnrecoverableError("the output is no JSON: %s" % describe(error)) from error
