import http.server
import json
import threading
import time
import unittest
import uuid

from softdd_task import STATUS, TaskApiError, TaskClient

from .support import URL, USER, create, until, user


class Collected:
    """The events of a watch, read in a thread."""

    def __init__(self, client, **query):
        self.events, self.error = [], None
        threading.Thread(target=self._read, args=(client.watch(**query),), daemon=True).start()

    def _read(self, events):
        try:
            for event in events:
                self.events.append(event)
        except TaskApiError as error:
            self.error = error

    def states(self, task):
        return [
            event["task"]["status"] if event["event"] == "task" else "removed"
            for event in list(self.events)
            if (event["task"]["taskId"] if event["event"] == "task" else event["taskId"]) == task
        ]


class WatchTest(unittest.TestCase):
    def setUp(self):
        self.client = TaskClient(URL, USER)
        self.addCleanup(self.client.close)
        self.service = "py-" + uuid.uuid4().hex[:8]

    def test_tells_of_tasks_their_changes_and_their_removal(self):
        task = create(self.service)
        watch = Collected(self.client, service=self.service)
        until("the task", lambda: watch.states(task) == [10])
        self.client.cancel(task)
        until("the end", lambda: watch.states(task) == [10, -20])
        self.client.remove(task)
        until("the removal", lambda: watch.states(task) == [10, -20, "removed"])

    def test_tells_of_the_tasks_of_a_batch(self):
        batch = self.client.batches.create([{"input": "x", "service": self.service}])["batchId"]
        self.addCleanup(self.client.batches.cancel, batch)
        create(self.service)
        watch = Collected(self.client, batch_id=batch)
        until("the task", lambda: len(watch.events) == 1)
        self.assertEqual(watch.events[0]["task"]["batchId"], batch)

    def test_ends_with_the_loop(self):
        task = create(self.service)
        for event in self.client.watch(ids=[task]):
            self.assertEqual(event["task"], user("GET", "/api/tasks/" + task))
            break

    def test_raises_what_the_server_refuses(self):
        with self.assertRaises(TaskApiError) as caught:
            next(self.client.watch())
        self.assertEqual(caught.exception.http_status, 400)
        with self.assertRaises(TaskApiError) as caught:
            next(TaskClient(URL, "nobody").watch(service="s"))
        self.assertEqual(caught.exception.http_status, 430)
        with self.assertRaises(ValueError):
            self.client.watch(ids=["x"] * 201)

    def test_waits_without_asking_again_and_again(self):
        task, looks = create(self.service), []
        get = self.client.get
        self.client.get = lambda *args, **more: looks.append(1) or get(*args, **more)
        ended = []
        thread = threading.Thread(target=lambda: ended.append(self.client.wait_for(task, timeout=60)))
        thread.start()
        time.sleep(4)
        self.client.cancel(task)
        thread.join(60)
        self.assertEqual(ended[0]["status"], STATUS["CANCELLED"])
        # 0.25, 0.375 and 0.56 s apart, and at the end.
        self.assertLessEqual(len(looks), 5)


class Streams(http.server.BaseHTTPRequestHandler):
    """Sends the next of the class's streams, and breaks off; keeps what it was asked."""

    streams, asked, get = [], [], {}

    def do_GET(self):
        if "/events" in self.path and self.streams:
            self.asked.append(self.headers.get("Last-Event-ID"))
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.end_headers()
            for number, (event, data) in enumerate(self.streams.pop(0)):
                text = "event: %s\nid: %s-%d\ndata: %s\n\n" % (event, len(self.asked), number, json.dumps(data))
                self.wfile.write(text.encode())
            return
        body = json.dumps({"status": 0, "data": {"code": 14001, "msg": "not found"}})
        if "/events" not in self.path:
            self.get["looks"] = self.get.get("looks", 0) + 1
            body = json.dumps({"status": 1, "data": {"taskId": "x", "status": 30 if self.get["looks"] > 5 else 20}})
        else:
            self.asked.append(self.path)
        self.send_response(404 if "/events" in self.path else 200)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class BrokenStreamsTest(unittest.TestCase):
    def serve(self, *streams):
        handler = type("Handler", (Streams,), {"streams": list(streams), "asked": [], "get": {}})
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return TaskClient("http://127.0.0.1:%d" % server.server_address[1], "token"), handler

    def test_comes_back_with_the_last_id_and_tells_everything_once(self):
        def task(name, status=10):
            return "task", {"taskId": name, "status": status}

        def synced(resumed):
            return "synced", {"resumed": resumed}

        gone = "removed", {"taskId": "d"}
        client, handler = self.serve(
            [task("a"), task("b"), gone, synced(False), task("a", 20)],
            [synced(True), task("b", 20)],
            [task("a", 30), gone, synced(False)],
        )
        watch = Collected(client, ids=["a", "b", "d"])
        until("the end", lambda: watch.error)
        self.assertEqual(watch.error.http_status, 404)
        self.assertEqual(handler.asked[:3], [None, "1-4", "2-1"])
        self.assertEqual(watch.states("a"), [10, 20, 30])
        self.assertEqual(watch.states("b"), [10, 20, "removed"])
        self.assertEqual(watch.states("d"), ["removed"])

    def test_waits_by_asking_where_there_are_no_streams(self):
        client, handler = self.serve()
        self.assertEqual(client.wait_for("x")["status"], 30)
        self.assertEqual(handler.asked, ["/api/tasks/events?ids=x"])
