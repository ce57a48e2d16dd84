import json
import unittest
import urllib.request

from . import fake_opentelemetry as fake

try:  # The real SDK where it is installed, otherwise a small copy of the API.
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
except ImportError:
    fake.install()
    from opentelemetry import trace

    TracerProvider = None

from .support import URL, USER, Running, create, ended, until

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def create_traced(service):
    headers = {"Authorization": "Bearer " + USER, "Content-Type": "application/json"}
    headers["traceparent"] = "00-%s-%s-01" % (TRACE, SPAN)
    data = json.dumps({"input": "in", "service": service, "status": 10}).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + "/api/tasks", data, headers)) as response:
        return json.load(response)["data"]["taskId"]


class TracesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Before there is a provider, work goes on without spans.
        cls.active = []
        with Running(lambda context: "early") as running:
            cls.early = ended(create_traced(running.service))
        if TracerProvider:
            cls.exporter, provider = InMemorySpanExporter(), TracerProvider()
            provider.add_span_processor(SimpleSpanProcessor(cls.exporter))
        else:
            cls.exporter = provider = fake.Provider()
        trace.set_tracer_provider(provider)

    def span_of(self, task):
        def find():
            spans = self.exporter.get_finished_spans()
            return next((span for span in spans if span.attributes["messaging.message.id"] == task), None)

        return until("the span", find)

    def test_are_not_needed(self):
        self.assertEqual(self.early["output"], "early")

    def test_link_to_the_create_and_are_active_in_the_handler(self):
        active = []

        def handler(context):
            active.append(trace.get_current_span())

        with Running(handler) as running:
            task = create_traced(running.service)
            ended(task)
            span = self.span_of(task)
        self.assertEqual((span.name, span.kind), ("process " + running.service, trace.SpanKind.CONSUMER))
        self.assertIsNone(span.parent)
        (link,) = span.links
        self.assertEqual("%032x-%016x" % (link.context.trace_id, link.context.span_id), "%s-%s" % (TRACE, SPAN))
        self.assertEqual(
            dict(span.attributes),
            {
                "messaging.system": "softdd_task",
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
                "messaging.destination.name": running.service,
                "messaging.message.id": task,
            },
        )
        self.assertIs(getattr(active[0], "name", None), span.name)

    def test_are_active_in_coroutines(self):
        active = []

        async def handler(context):
            active.append(trace.get_current_span())

        with Running(handler) as running:
            task = create(running.service)
            ended(task)
            span = self.span_of(task)
        self.assertEqual(active[0].name, span.name)
        self.assertEqual(len(span.links), 0)

    def test_say_that_an_attempt_failed(self):
        def handler(context):
            raise KeyError("frame 7")

        with Running(handler) as running:
            task = create(running.service, maxAttempts=1)
            ended(task)
            span = self.span_of(task)
        self.assertEqual(span.status.status_code, trace.StatusCode.ERROR)
        self.assertIn("frame 7", span.status.description)
