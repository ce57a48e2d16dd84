"""The event loop of `async def` handlers."""

import asyncio
import functools
import logging
import os
import threading
from typing import Any, Coroutine, Optional, Tuple

from ..errors import describe
from .context import Context
from .forks import end_fork

log = logging.getLogger("softdd_task")


class Loop:
    """One event loop for all handlers of a worker. It runs in a thread that the first handler starts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._thread: Optional[threading.Thread] = None
        self._closed = False

    def run(self, awaitable: Any, context: Context) -> Any:
        """Waits for an awaitable in the loop. Cancels it when the handler must stop."""
        loop, process = self._started(), os.getpid()

        def cancel(task: Any) -> None:
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:  # The loop is closed.
                pass

        async def work() -> Tuple[Any, Optional[BaseException]]:
            context._on_stop(functools.partial(cancel, asyncio.current_task()))
            output, failure = None, None
            try:
                output = await awaitable
            except BaseException as error:  # A SystemExit that leaves the coroutine would end the loop.
                failure = error
            if os.getpid() != process:
                end_fork(failure)
            return output, failure

        output, failure = asyncio.run_coroutine_threadsafe(work(), loop).result()
        if failure is not None:
            raise failure
        return output

    def close(self) -> None:
        """Cancels all coroutines and ends the thread. A thread that a handler blocks is left behind."""
        with self._lock:
            loop, thread, self._closed = self._loop, self._thread, True
        if not loop or not thread or loop.is_closed():
            return
        try:
            asyncio.run_coroutine_threadsafe(_cancel_all(loop), loop).result(2)
        except BaseException as error:
            log.debug("the event loop does not end: %s", describe(error))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(1)
        if not thread.is_alive():
            loop.close()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("the worker is closing")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                serve, args = self._serve, (self._loop,)
                self._thread = threading.Thread(target=serve, args=args, name="softdd-task-async", daemon=True)
                self._thread.start()
            return self._loop

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        while True:
            try:
                return loop.run_forever()
            except BaseException:  # A SystemExit in a callback of one handler must not stop the others.
                log.exception("an asyncio callback raised an exception that would end the event loop")


def _cancel_all(loop: asyncio.AbstractEventLoop) -> Coroutine[Any, Any, None]:
    async def cancel() -> None:
        tasks = asyncio.all_tasks(loop) - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1)
        await loop.shutdown_asyncgens()

    return cancel()
