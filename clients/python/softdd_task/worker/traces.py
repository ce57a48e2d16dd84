"""Spans of handlers, by the package opentelemetry-api where it is installed."""

import contextlib
import importlib
import re
from typing import Any, Dict, Iterator, List, Optional

# Version 00 of the W3C's traceparent: the server hands on no other.
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\Z")


class Traces:
    """Makes a span for each handler, once somebody has registered a provider of tracers."""

    def __init__(self) -> None:
        self._api: Any = None
        self._root: Any = None
        try:
            trace: Any = importlib.import_module("opentelemetry.trace")
            context: Any = importlib.import_module("opentelemetry.context")
        except Exception:  # Not installed, or broken: work goes on without spans.
            return
        self._api, self._root = trace, context.Context

    @contextlib.contextmanager
    def process(self, task: Dict[str, Any], traceparent: Optional[str]) -> Iterator[Any]:
        """The span of one attempt, as the active one. It begins a trace, and links to that of the create."""
        api = self._api
        if api is None or isinstance(api.get_tracer_provider(), api.ProxyTracerProvider):
            yield None
            return
        service = task.get("service") or ""
        attributes = {
            "messaging.system": "softdd_task",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": service,
            "messaging.message.id": task["taskId"],
        }
        with api.get_tracer("softdd_task").start_as_current_span(
            ("process " + service).strip(),
            context=self._root(),
            kind=api.SpanKind.CONSUMER,
            attributes=attributes,
            links=self._links(traceparent),
        ) as span:
            yield span

    def failed(self, span: Any, error: str) -> None:
        """Notes that the attempt failed."""
        if span is not None:
            span.set_status(self._api.Status(self._api.StatusCode.ERROR, error.partition("\n")[0]))

    def _links(self, traceparent: Optional[str]) -> List[Any]:
        found = TRACEPARENT.match(traceparent or "")
        if not found:
            return []
        trace, span, flags = (int(part, 16) for part in found.groups())
        if not trace or not span:
            return []
        context = self._api.SpanContext(trace, span, is_remote=True, trace_flags=self._api.TraceFlags(flags & 1))
        return [self._api.Link(context)]
