"""The types of the routes for operators and of changes of many tasks, with the field names of the API.

A test compares them with the server's OpenAPI document.
"""

from typing import Any, Dict, List, Literal, Optional, TypedDict, Union

from .api_types import Task

BulkAction = Literal["retry", "cancel", "delete"]
CallbackState = Literal["pending", "delivered", "dead"]


class OperatorTask(Task):
    """A task as operators see it. `workerId` is the worker that last took it, if it named itself."""

    userId: str
    workerId: Optional[str]


class TaskFilter(TypedDict, total=False):
    """Which tasks. Every condition must hold.

    `error` is how the error of the last attempt begins. The times of creation are ISO 8601 with their zone:
    `createdFrom` counts, `createdTo` does not.
    """

    status: int
    service: str
    group: str
    workerId: str
    scheduleKey: str
    batchId: str
    error: str
    ids: List[str]
    createdFrom: str
    createdTo: str


class OperatorTaskFilter(TaskFilter, total=False):
    """The same for tasks of all owners."""

    userId: str


class OperatorListQuery(OperatorTaskFilter, total=False):
    """`pageNum` is the most tasks of an answer: 1 to 10,000, by default 50. `cursor` is a `nextCursor`."""

    pageNum: int
    cursor: str


class OperatorTaskPage(TypedDict):
    """Tasks, newest first.

    `list` may be empty although there are more: one search reads a bounded number of rows. `nextCursor` continues it,
    and `searchedTo` is the time of creation to which it has come. Both are None at the end.
    """

    list: List[OperatorTask]
    nextCursor: Optional[str]
    searchedTo: Optional[str]


class _CallbackTry(TypedDict):
    time: str
    durationMs: int


class CallbackTry(_CallbackTry, total=False):
    """One try of a callback: with the HTTP `status`, or with the `error` because of which there was none."""

    status: int
    error: str


class Callback(TypedDict):
    """A callback, with its tries, oldest first. `attempts` counts since it was created or last replayed.

    `dueAt` is when the next try is due. It is None once the callback has ended.
    """

    id: str
    taskId: str
    type: str
    url: str
    state: CallbackState
    attempts: int
    dueAt: Optional[str]
    tries: List[CallbackTry]
    createdAt: str
    endedAt: Optional[str]


class Attempt(TypedDict):
    """An attempt that failed or was given back. `error` has at most 4,096 bytes of UTF-8."""

    attempt: int
    workerId: Optional[str]
    startedAt: Optional[str]
    endedAt: str
    outcome: Literal["failed", "leaseExpired", "released"]
    error: Optional[str]


class OperatorTaskDetail(TypedDict):
    """A task, its newest 100 attempts, oldest first, and its callbacks, newest first."""

    task: OperatorTask
    attempts: List[Attempt]
    callbacks: List[Callback]


class OperatorTaskChanges(TypedDict, total=False):
    """`status` BEGIN makes a task ready, or runs it again. CANCELLED cancels it."""

    status: int
    priority: int


class _BulkRequest(TypedDict):
    action: BulkAction


class BulkRequest(_BulkRequest, total=False):
    """A change of many own tasks. An empty filter needs `all`.

    `retry` runs failed and cancelled tasks again, `cancel` cancels what has not ended, `delete` deletes what no worker
    holds.
    """

    filter: TaskFilter
    all: bool


class OperatorBulkRequest(_BulkRequest, total=False):
    """The same for tasks of all owners."""

    filter: OperatorTaskFilter
    all: bool


class Bulk(TypedDict):
    """A change of many tasks, and how far it is.

    `matched` counts the tasks that fitted so far, `done` those for which it worked, `failed` those for which it did
    not. `userId` is whose tasks it changes: None for those of all owners.
    """

    bulkId: str
    action: BulkAction
    state: Literal["running", "done", "aborted"]
    matched: int
    done: int
    failed: int
    filter: Dict[str, Any]
    userId: Optional[str]
    requestedBy: Optional[str]
    createdAt: str
    endedAt: Optional[str]


class BulkCount(TypedDict):
    """How many tasks a bulk would change now. There may be more if `isExact` is False."""

    count: int
    isExact: bool


class PageQuery(TypedDict, total=False):
    """`limit` is 1 to 1,000. `cursor` is the `nextCursor` of the page before."""

    limit: int
    cursor: str


class BulkPage(TypedDict):
    """Changes of many tasks, newest first."""

    list: List[Bulk]
    nextCursor: Optional[str]


class Rate(TypedDict):
    """At most `max` starts in `per` seconds on average, and up to `burst` at once after a quiet time."""

    max: int
    per: int
    burst: int


# True: owners take turns. "group": groups do.
Fair = Union[bool, Literal["group"]]


class ServiceChanges(TypedDict, total=False):
    """`pausedUntil` is when the pause ends by itself: ISO 8601 with its zone.

    None or an empty text removes `pausedUntil` or `note`. None gives any other setting back to the server's option
    `services`. A `rate` without `burst` has `max` as its burst.
    """

    paused: Optional[bool]
    pausedUntil: Optional[str]
    note: Optional[str]
    maxRunning: Optional[int]
    rate: Optional[Dict[str, int]]
    maxRunningPerOwner: Optional[int]
    fair: Optional[Fair]


# Why claims find no task now, if a pause or a limit is the reason.
WaitReason = Literal["paused", "limit", "rate"]
# Where a setting comes from.
SettingSource = Literal["operator", "option"]


class SettingSources(TypedDict):
    """Where each setting comes from. None: there is none."""

    paused: Optional[SettingSource]
    maxRunning: Optional[SettingSource]
    rate: Optional[SettingSource]
    maxRunningPerOwner: Optional[SettingSource]
    fair: Optional[SettingSource]


class ServiceState(TypedDict):
    """What is in force for a service.

    `running` are the tasks that count for `maxRunning`, `maxRunningPerOwner` or `fair`. `maxRunningPerOwner` is None
    with the source `option` if a function of the server's host decides. `changedAt` is None if all comes from the
    option `services`.
    """

    service: str
    paused: bool
    pausedUntil: Optional[str]
    note: Optional[str]
    maxRunning: Optional[int]
    rate: Optional[Rate]
    maxRunningPerOwner: Optional[int]
    fair: Fair
    running: Optional[int]
    wait: Optional[WaitReason]
    sources: SettingSources
    changedBy: Optional[str]
    changedAt: Optional[str]


class WorkerLoad(TypedDict):
    """The tasks that one worker holds of one service. `workerId` is None for workers that name no id.

    `since` is when the oldest task began, `lastHeard` when the worker last reported on one of them, and
    `leaseExpiresAt` when the first of their leases ends.
    """

    workerId: Optional[str]
    service: str
    running: int
    since: Optional[str]
    lastHeard: Optional[str]
    leaseExpiresAt: Optional[str]


class CallbackFilter(TypedDict, total=False):
    """Which callbacks. `origin` is such as `https://app.example.com`."""

    state: CallbackState
    taskId: str
    origin: str


class CallbackQuery(CallbackFilter, PageQuery, total=False):
    """Which callbacks, and which page of them."""


class CallbackPage(TypedDict):
    """Callbacks, newest first."""

    list: List[Callback]
    nextCursor: Optional[str]


class ReplayResult(TypedDict):
    """Callbacks that were made due again. If `isPartial`, there may be more: send the request again."""

    replayed: int
    isPartial: bool


class Timed(TypedDict):
    """Milliseconds. None if nothing was timed."""

    mean: Optional[int]
    p95: Optional[int]


class Activity(TypedDict):
    """What happened in a time.

    `waitMs` goes from ready to claimed, `runMs` from the claim to the report that ended the attempt.
    """

    created: int
    started: int
    finished: int
    failed: int
    retried: int
    expired: int
    cancelled: int
    waitMs: Timed
    runMs: Timed


class StatsPoint(Activity):
    """One point of a chart."""

    time: str


class ReadyOwner(TypedDict):
    """How many of the ready tasks that were looked at belong to an owner, and how many that run (None: not counted)."""

    userId: str
    ready: int
    running: Optional[int]


class ReadyOwners(TypedDict):
    """Whose the next 1,000 ready tasks of a service are: at most 5 owners, most tasks first."""

    lookedAt: int
    list: List[ReadyOwner]


class ServiceOverview(TypedDict):
    """A service as it is now. Numbers named in `atLeast` are those at which counting ended."""

    service: str
    ready: int
    waiting: int
    running: int
    oldestReadySeconds: Optional[float]
    atLeast: List[str]
    paused: bool
    pausedUntil: Optional[str]
    note: Optional[str]
    maxRunning: Optional[int]
    wait: Optional[WaitReason]
    owners: Optional[ReadyOwners]
    last5m: Activity
    last60m: Activity


class DeadOrigin(TypedDict):
    """Dead callbacks among the newest 1,000, by where they should have gone."""

    origin: str
    dead: int


class CallbackBacklog(TypedDict):
    """Callbacks that wait, and those that were given up."""

    pending: int
    dead: int
    oldestPendingSeconds: Optional[float]
    deadOrigins: List[DeadOrigin]


class ServerInfo(TypedDict):
    """`version` is that of @softdd/task; the engine is the database's."""

    version: str
    engine: str
    engineVersion: str


class Overview(TypedDict):
    """What is in the queue and what happened in it. `workers` is how many hold tasks, `access` what the asker may do."""

    services: List[ServiceOverview]
    callbacks: CallbackBacklog
    workers: int
    access: Literal["all", "read"]
    server: ServerInfo
    time: str


# `from` is a word of Python's grammar, so this type can't be written as a class.
StatsQuery = TypedDict("StatsQuery", {"from": str, "to": str, "step": int, "service": str}, total=False)
Stats = TypedDict("Stats", {"from": str, "to": str, "step": int, "points": List[StatsPoint]})
