"""The part of opentelemetry-api that the worker uses, where the real package is not installed.

It takes the arguments of the real functions, and no others.
"""

import contextlib
import contextvars
import sys
import types
from enum import Enum

ACTIVE = contextvars.ContextVar("active", default=None)


class SpanKind(Enum):
    CONSUMER = 4


class StatusCode(Enum):
    UNSET = 0
    ERROR = 2


class Status:
    def __init__(self, status_code=StatusCode.UNSET, description=None):
        self.status_code, self.description = status_code, description


class TraceFlags(int):
    pass


class SpanContext:
    def __init__(self, trace_id, span_id, is_remote, trace_flags=TraceFlags(0)):
        self.trace_id, self.span_id, self.is_remote, self.trace_flags = trace_id, span_id, is_remote, trace_flags


class Link:
    def __init__(self, context, attributes=None):
        self.context = context


class Span:
    def __init__(self, name, kind, attributes, links):
        self.name, self.kind, self.attributes, self.links = name, kind, attributes, links
        self.parent, self.status = None, Status()

    def set_status(self, status, description=None):
        self.status = status


class ProxyTracerProvider:
    pass


class Provider:
    def __init__(self):
        self.ended = []

    def get_finished_spans(self):
        return tuple(self.ended)

    @contextlib.contextmanager
    def start_as_current_span(self, name, context=None, kind=None, attributes=None, links=None):
        assert isinstance(context, Context)
        span = Span(name, kind, attributes, links)
        token = ACTIVE.set(span)
        try:
            yield span
        finally:
            ACTIVE.reset(token)
            self.ended.append(span)


class Context(dict):
    pass


def install():
    """Makes `from opentelemetry import trace` work. Returns a function that sets the provider."""
    package, trace, context = (types.ModuleType(name) for name in ("opentelemetry", "trace", "context"))
    registered = [ProxyTracerProvider()]
    for each in (SpanKind, StatusCode, Status, TraceFlags, SpanContext, Link, ProxyTracerProvider):
        setattr(trace, each.__name__, each)
    trace.get_tracer_provider = lambda: registered[0]
    trace.get_tracer = lambda name, version=None: registered[0]
    trace.get_current_span = lambda: ACTIVE.get()
    trace.set_tracer_provider = lambda provider: registered.__setitem__(0, provider)
    context.Context = Context
    package.trace, package.context = trace, context
    sys.modules.update({"opentelemetry": package, "opentelemetry.trace": trace, "opentelemetry.context": context})
