"""Workers and a client for a @softdd/task server. Python 3.9 or later, no dependencies.

A worker claims tasks and runs a function on each:

    from softdd_task import Worker

    @Worker("http://127.0.0.1:3000", TOKEN, service="transcode", concurrency=2)
    def transcode(context):
        context.progress(50, "frame 1200")
        return "out.mp4"

    if __name__ == "__main__":
        transcode.run()

The function's return value is the task's output; a value that is not a string is stored as JSON. An exception fails the
attempt, and the task is retried while attempts are left. UnrecoverableError fails the task for good. RetryLater sets
the seconds until the next attempt.

Handlers run in threads, or with `processes=True` in processes. `async def` handlers share one event loop. Another
thread renews the leases and needs the GIL now and then. Use `processes=True` for a handler that holds the GIL longer
than a lease, as some C extensions do.

A client creates tasks and waits for their results:

    from softdd_task import STATUS, TaskClient

    client = TaskClient("http://127.0.0.1:3000", USER_TOKEN)
    task = client.create({"input": "film.mov", "service": "transcode", "status": STATUS["BEGIN"]})
    print(client.wait_for(task["taskId"])["output"])

A client with an operator's token sees and changes the tasks of all users by `client.operator`. The module
`operator_types` has the types of its answers. `client.schedules` has a user's schedules, `schedule_types` their types.

The package logs to the logger `softdd_task` and prints nothing.
"""

import logging
import sys

from . import batch_types, operator_types, schedule_types
from .api_types import (
    STATUS,
    URIS,
    CreatedTask,
    ListQuery,
    NewTask,
    NotDeleted,
    Removal,
    Task,
    TaskChanges,
    TaskPage,
    Unique,
    WorkerTask,
)
from .batch_client import BatchClient, OperatorBatchClient
from .bulk_client import BulkClient
from .errors import (
    ERROR_CODE,
    RetryLater,
    Stopped,
    TaskApiError,
    TaskError,
    TaskStopped,
    UnrecoverableError,
    WaitTimeoutError,
)
from .operator_client import OperatorClient
from .schedule_client import OperatorScheduleClient, ScheduleClient
from .task_client import TaskClient
from .watch import WatchEvent
from .worker import Worker, context, forks, outcome, processes, reporter, runner, session
from .worker.context import Context

__all__ = [
    "BatchClient",
    "BulkClient",
    "Context",
    "CreatedTask",
    "ERROR_CODE",
    "ListQuery",
    "NewTask",
    "NotDeleted",
    "OperatorBatchClient",
    "OperatorClient",
    "OperatorScheduleClient",
    "Removal",
    "RetryLater",
    "STATUS",
    "ScheduleClient",
    "Stopped",
    "Task",
    "TaskApiError",
    "TaskChanges",
    "TaskClient",
    "TaskError",
    "TaskPage",
    "TaskStopped",
    "URIS",
    "Unique",
    "UnrecoverableError",
    "WaitTimeoutError",
    "WatchEvent",
    "Worker",
    "WorkerTask",
    "batch_types",
    "operator_types",
    "schedule_types",
]
__version__ = "1.0.0"

# Modules of `softdd_task.worker` that stay importable under their former names, such as `softdd_task.runner`.
for _module in (context, forks, outcome, processes, reporter, runner, session):
    sys.modules["%s.%s" % (__name__, _module.__name__.rpartition(".")[2])] = _module
del _module

logging.getLogger("softdd_task").addHandler(logging.NullHandler())
