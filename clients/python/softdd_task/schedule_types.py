"""The types of the routes for schedules, with the field names of the API.

A test compares them with the server's OpenAPI document.
"""

from typing import Any, Dict, List, Literal, Optional, TypedDict

from .api_types import Unique

Overlap = Literal["skip", "allow", "buffer"]
CatchUp = Literal["none", "one", "all"]
ScheduleState = Literal["active", "paused", "ended"]


class _ScheduledInput(TypedDict):
    input: str


class ScheduledTask(_ScheduledInput, total=False):
    """The task of a schedule: what a create takes. It is ready at once."""

    args: str
    service: str
    group: str
    priority: int
    maxAttempts: int
    callbackUrl: str
    unique: Unique


class _ScheduleTask(TypedDict):
    task: ScheduledTask


class ScheduleSettings(_ScheduleTask, total=False):
    """When which task is created. Either `cron` or `every`.

    `cron` has five fields, or is @hourly, @daily, @weekly, @monthly or @yearly, in `timeZone`, which is by default UTC.
    `every` is seconds. Times are ISO 8601 with their zone. Without `paused` it stays as it was.
    """

    cron: str
    every: int
    timeZone: str
    overlap: Overlap
    catchUp: CatchUp
    catchUpWindow: int
    startAt: str
    endAt: str
    jitter: int
    paused: bool


class ScheduleRun(TypedDict):
    """What became of one time. `error` says why there is no task."""

    scheduledFor: str
    taskId: Optional[str]
    error: Optional[str]


class ScheduleLast(TypedDict):
    """The last task that a schedule created at one of its times."""

    scheduledFor: str
    taskId: str


class Schedule(TypedDict):
    """A schedule. `next` are its next five times, `runs` its last 20, newest first."""

    key: str
    cron: Optional[str]
    every: Optional[int]
    timeZone: str
    task: Dict[str, Any]
    overlap: Overlap
    catchUp: CatchUp
    catchUpWindow: int
    startAt: Optional[str]
    endAt: Optional[str]
    jitter: int
    paused: bool
    state: ScheduleState
    next: List[str]
    last: Optional[ScheduleLast]
    runs: List[ScheduleRun]
    createdAt: str
    updatedAt: str


class OperatorSchedule(Schedule):
    """A schedule as operators see it."""

    userId: str


class ScheduleQuery(TypedDict, total=False):
    """`limit` is 1 to 100. `cursor` is a `nextCursor`. With `state` a page may be short although there are more."""

    state: ScheduleState
    limit: int
    cursor: str


class OperatorScheduleQuery(ScheduleQuery, total=False):
    """The same for schedules of all owners."""

    userId: str


class SchedulePage(TypedDict):
    """Schedules in the order of their keys. `nextCursor` continues the list, and is None at the end."""

    list: List[Schedule]
    nextCursor: Optional[str]


class OperatorSchedulePage(TypedDict):
    """Schedules in the order of owners and keys."""

    list: List[OperatorSchedule]
    nextCursor: Optional[str]


class RemovedSchedule(TypedDict):
    """The schedule that was deleted."""

    key: str
