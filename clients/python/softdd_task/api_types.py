"""The types of the HTTP API, with the field names of the API.

`npm run docs` writes the marked parts from the server's declarations.
"""

from typing import Dict, List, Optional, TypedDict

#: Role of a status -> its integer, where the host has not chosen others.
STATUS: Dict[str, int] = {
    "INIT": 0,
    "WAITING": 5,
    "BEGIN": 10,
    "START": 20,
    "FINISHED": 30,
    "ERROR": -10,
    "CANCELLED": -20,
}

#: The paths of the routes for users, and the beginning of those for operators, under the names of the server's
#: options. `{taskId}` stands for the id.
URIS: Dict[str, str] = {
    "postTaskUri": "/api/tasks",
    "getTaskListUri": "/api/tasks",
    "getTaskEventsUri": "/api/tasks/events",
    "deleteTaskUri": "/api/tasks",
    "getTaskUri": "/api/tasks/{taskId}",
    "putTaskUri": "/api/tasks/{taskId}",
    "scheduleUri": "/api/schedules",
    "batchUri": "/api/batches",
    "operatorUri": "/api/operator",
}


class _SometimesInTask(TypedDict, total=False):
    """What only some tasks have."""

    # <sometimes>
    scheduleKey: str
    scheduledFor: str
    uniqueKey: str
    batchId: str
    # </sometimes>


class Task(_SometimesInTask):
    """A task. Times are ISO 8601 in UTC. A text that was not given is ''."""

    # <task>
    taskId: str
    service: str
    group: Optional[str]
    status: int
    progress: int
    input: str
    args: str
    temp: str
    output: str
    error: Optional[str]
    priority: int
    runAt: Optional[str]
    attempt: int
    maxAttempts: Optional[int]
    leaseExpiresAt: Optional[str]
    createdAt: Optional[str]
    updatedAt: Optional[str]
    startedAt: Optional[str]
    finishedAt: Optional[str]
    # </task>


class WorkerTask(Task):
    """A task as workers see it."""

    callbackUrl: str


class CreatedTask(Task, total=False):
    """The answer to a create."""

    #: The task holds the unique key already. Nothing was created.
    duplicate: bool
    #: The duplicate got the content of the request. Absent: it is as it was.
    replaced: bool


class _Unique(TypedDict):
    key: str


class Unique(_Unique, total=False):
    """What makes a task the only one of its owner and service with a key."""

    #: When the key is free again: 'claimed', when a worker takes the task for the first time, or 'ended' (the default).
    until: str
    #: If another task holds the key: 'return' (the default), or 'replace', which gives it the content of the request
    #: while no worker has had it.
    onConflict: str


class _NewTask(TypedDict):
    # <required>
    input: str
    # </required>


class NewTask(_NewTask, total=False):
    """The fields of a task to create. Only `input` is required."""

    # <create>
    args: str
    service: str
    group: str
    priority: int
    runAt: str
    maxAttempts: int
    callbackUrl: str
    unique: Unique
    status: int
    # </create>


class TaskChanges(TypedDict, total=False):
    """The fields to change.

    `input` and `args` can change until a worker claims the task. `status` may become BEGIN or CANCELLED.
    """

    # <change>
    input: str
    args: str
    status: int
    # </change>


class ListQuery(TypedDict, total=False):
    """Which tasks to list, and which page of them.

    `page` is the page's number, from 1. `cursor`, the previous page's `nextCursor`, can stand in its place.
    """

    # <list>
    page: int
    pageNum: int
    cursor: str
    status: int
    group: str
    service: str
    ids: List[str]
    # </list>


class TaskPage(TypedDict):
    """A page of tasks, newest first. `nextCursor` is None on the last page."""

    list: List[Task]
    nextCursor: Optional[str]


class NotDeleted(TypedDict):
    """A task that was not deleted, and why."""

    taskId: str
    code: int
    msg: str


class Removal(TypedDict):
    """The ids of the deleted tasks, and the tasks that were not deleted."""

    deleted: List[str]
    notDeleted: List[NotDeleted]
