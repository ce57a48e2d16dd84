"""The types of the routes for batches, with the field names of the API.

A test compares them with the server's OpenAPI document.
"""

from typing import List, Literal, Optional, TypedDict

from .api_types import NewTask

BatchState = Literal["open", "running", "finished", "failed", "cancelled"]
OnFailure = Literal["finish", "cancel"]


class BatchTask(NewTask, total=False):
    """A task of a batch. It is ready at once unless its `status` says that it is a draft.

    `dependsOn` names the `ref` of tasks of the same request that have to end first. If one of them fails, this task
    fails, too, or runs nevertheless with `runOn` "ended".
    """

    ref: str
    dependsOn: List[str]
    runOn: Literal["finished", "ended"]


class EndedCounts(TypedDict):
    """The tasks of a batch that have ended."""

    finished: int
    failed: int
    cancelled: int


class BatchCounts(EndedCounts):
    """The tasks of a batch by where they are. `waiting` has the drafts, too."""

    waiting: int
    ready: int
    running: int


class _Batch(TypedDict):
    batchId: str
    state: BatchState
    total: int
    progress: int
    onFailure: OnFailure
    sealed: bool
    thenTaskId: Optional[str]
    createdAt: str
    endedAt: Optional[str]


class Batch(_Batch):
    """A batch. `progress` is the percent of its tasks that have ended."""

    counts: BatchCounts


class BatchSummary(_Batch):
    """A batch in a list."""

    counts: EndedCounts


class CreatedBatch(Batch):
    """A batch, and the ids of the tasks of the request, in its order."""

    taskIds: List[str]


class BatchPage(TypedDict):
    """Batches, newest first. `nextCursor` continues the list, as `cursor`."""

    list: List[BatchSummary]
    nextCursor: Optional[str]
