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


class OperatorBatch(Batch):
    """A batch as operators see it."""

    userId: str


class OperatorBatchSummary(BatchSummary):
    """The same in a list."""

    userId: str


class OperatorBatchPage(TypedDict):
    """Batches of all owners, newest first."""

    list: List[OperatorBatchSummary]
    nextCursor: Optional[str]


class BatchQuery(TypedDict, total=False):
    """Which batches. With `state` a page may be short although there are more. `limit` is 1 to 1,000."""

    state: BatchState
    limit: int
    cursor: str


class OperatorBatchQuery(BatchQuery, total=False):
    """The same for batches of all owners."""

    userId: str


class BatchMember(TypedDict):
    """A task of a batch. `status` and `service` are None if it was deleted.

    `layer` is how many tasks come before it, one after the other: 0 if it waits for none. `dependsOn` are the ids of the
    tasks that it waits for, and `ref` is the name that its creator gave it.
    """

    taskId: str
    ref: Optional[str]
    status: Optional[int]
    service: Optional[str]
    layer: int
    dependsOn: List[str]


class BatchTaskQuery(TypedDict, total=False):
    """Which tasks of a batch. With `layer` or `status` a page may be short although there are more."""

    layer: int
    status: int
    limit: int
    cursor: str


class BatchMemberPage(TypedDict):
    """Tasks of a batch, in the order in which they were created."""

    list: List[BatchMember]
    nextCursor: Optional[str]


class BatchLayer(TypedDict):
    """The tasks of a batch that have as many others before them, one after the other."""

    layer: int
    total: int
    counts: BatchCounts


class BatchLayerPage(TypedDict):
    """Layers of a batch: the tasks that wait for none come first."""

    list: List[BatchLayer]
    nextCursor: Optional[str]
