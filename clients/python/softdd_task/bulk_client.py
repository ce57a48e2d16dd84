"""The client for changes of many tasks."""

import urllib.parse
from typing import Any, Dict, Generic, Optional, TypeVar, cast

from .connections import Connections
from .operator_types import Bulk, BulkCount, BulkRequest, OperatorBulkRequest

Request = TypeVar("Request", BulkRequest, OperatorBulkRequest)


class BulkClient(Generic[Request]):
    """Changes of many tasks: a user's own, or as an operator those of all."""

    def __init__(self, connections: Connections, path: str):
        self._connections, self._path = connections, path

    def start(self, request: Request, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Bulk:
        """Starts one. It is only repeated if the queue has certainly not received it."""
        send = self._connections.send
        return cast(Bulk, send("POST", self._path, request, once=True, timeout=timeout, retries=retries))

    def count(self, request: Request, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> BulkCount:
        """Returns how many tasks it would change now."""
        body = {**cast(Dict[str, Any], request), "dryRun": True}
        return cast(BulkCount, self._connections.send("POST", self._path, body, timeout=timeout, retries=retries))

    def get(self, bulk_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Bulk:
        """Returns how far it is."""
        return cast(Bulk, self._connections.send("GET", self._of(bulk_id), timeout=timeout, retries=retries))

    def abort(self, bulk_id: str, *, timeout: Optional[float] = None, retries: Optional[int] = None) -> Bulk:
        """Stops it. What was done stays done."""
        body = {"abort": True}
        return cast(Bulk, self._connections.send("PUT", self._of(bulk_id), body, timeout=timeout, retries=retries))

    def _of(self, bulk_id: str) -> str:
        return self._path + "/" + urllib.parse.quote(bulk_id, safe="")
