import unittest
import uuid

from softdd_task import ERROR_CODE, STATUS, TaskApiError, TaskClient

from .support import OPERATOR, TOKEN, URL, USER, Running, refusal, until
from .test_client import WELL, Flaky

#: The server keeps callbacks to this origin pending.
CALLBACK = "http://127.0.0.1:9/done"


class OperatorTest(unittest.TestCase):
    def setUp(self):
        self.client, operator = TaskClient(URL, USER), TaskClient(URL, OPERATOR)
        self.addCleanup(self.client.close)
        self.addCleanup(operator.close)
        self.operator = operator.operator
        self.service = "py-" + uuid.uuid4().hex[:8]

    def create(self, **more):
        return self.client.create({"input": "in", "service": self.service, "status": STATUS["BEGIN"], **more})["taskId"]

    def ended_bulk(self, bulks, bulk):
        return until("the bulk", lambda: (lambda seen: seen["endedAt"] and seen)(bulks.get(bulk["bulkId"])))

    def test_is_refused_to_others(self):
        for token in (USER, TOKEN, "nobody"):
            client = TaskClient(URL, token)
            self.addCleanup(client.close)
            with self.assertRaises(TaskApiError) as caught:
                client.operator.overview()
            self.assertEqual(caught.exception.http_status, 430)

    def test_sees_services_and_what_happened(self):
        self.create()

        def shown():
            return [each for each in self.operator.overview()["services"] if each["service"] == self.service]

        [seen] = until("the service in the overview", shown)
        self.assertEqual((seen["ready"], seen["running"], seen["paused"]), (1, 0, False))
        stats = self.operator.stats({"step": 60, "service": self.service})
        self.assertEqual((stats["step"], len(stats["points"]) > 50), (60, True))
        self.assertIn("waitMs", stats["points"][0])

    def test_lists_tasks_of_a_service_by_cursor(self):
        made = [self.create() for _ in range(3)]
        page = self.operator.list({"service": self.service, "pageNum": 2})
        self.assertEqual([task["taskId"] for task in page["list"]], made[:0:-1])
        self.assertEqual(page["list"][0]["userId"], "alice")
        page = self.operator.list({"service": self.service, "pageNum": 2, "cursor": page["nextCursor"]})
        self.assertEqual([task["taskId"] for task in page["list"]], made[:1])
        self.assertEqual(len(self.operator.list({"ids": made + [str(uuid.uuid4()) for _ in range(900)]})["list"]), 3)

    def test_finds_and_changes_the_tasks_of_a_batch(self):
        created = self.client.batches.create([{"input": text, "service": self.service} for text in "abc"])
        self.create()
        query = {"batchId": created["batchId"]}
        page = self.operator.list({**query, "pageNum": 2})
        self.assertEqual([task["taskId"] for task in page["list"]], created["taskIds"][:0:-1])
        page = self.operator.list({**query, "cursor": page["nextCursor"]})
        self.assertEqual([task["taskId"] for task in page["list"]], created["taskIds"][:1])
        for bulks in (self.operator.bulks, self.client.bulks):
            self.assertEqual(bulks.count({"action": "cancel", "filter": query}), {"count": 3, "isExact": True})
        with self.assertRaises(TaskApiError) as caught:
            self.operator.list({"batchId": "x" * 37})
        self.assertEqual(caught.exception.detail[0]["field"], "batchId")

    def test_sees_everything_of_a_task_and_changes_it(self):
        task = self.create()
        self.assertEqual(self.operator.update(task, {"priority": -5})["priority"], -5)
        self.assertEqual(self.operator.update(task, {"status": STATUS["CANCELLED"]})["status"], STATUS["CANCELLED"])
        self.assertEqual(self.operator.task(task)["task"]["priority"], -5)
        self.assertEqual(self.operator.remove([task, "no-such-task"])["deleted"], [task])
        with self.assertRaises(TaskApiError) as caught:
            self.operator.task(task)
        self.assertEqual(caught.exception.code, ERROR_CODE["NOT_FOUND"])

    def test_sees_failed_attempts_and_who_holds_what(self):
        held, go = [], []

        def fail_once(context):
            # Not by its id: the worker may have it before the create is answered.
            if context.task["input"] == "fails":
                raise ValueError("broken")
            held.append(1)
            until("the operator", lambda: go)

        with Running(fail_once, worker_id="py-worker") as running:
            self.service = running.service
            failing = self.create(input="fails", maxAttempts=1)
            self.client.wait_for(failing)
            self.create()
            until("the claim", lambda: held)
            mine = [each for each in self.operator.workers() if each["service"] == self.service]
            go.append(1)
        self.assertEqual([(each["workerId"], each["running"]) for each in mine], [("py-worker", 1)])
        [attempt] = until("the attempt", lambda: self.operator.task(failing)["attempts"])
        self.assertEqual((attempt["outcome"], attempt["workerId"]), ("failed", "py-worker"))
        self.assertIn("broken", attempt["error"])

    def test_pauses_and_resumes_a_service(self):
        name = self.service + "/a b"
        seen = self.operator.set_service(name, {"paused": True, "note": "maintenance"})
        self.assertEqual((seen["service"], seen["paused"], seen["note"]), (name, True, "maintenance"))
        self.assertIn(seen, self.operator.services())
        seen = self.operator.set_service(name, {"paused": False, "note": None})
        self.assertEqual((seen["paused"], seen["note"]), (False, None))
        self.assertIsNone(self.operator.set_service(name, {"note": ""})["note"])

    def test_replays_callbacks(self):
        task = self.create(callbackUrl=CALLBACK)
        self.client.cancel(task)
        [callback] = self.operator.callbacks({"taskId": task, "limit": 10})["list"]
        self.assertEqual((callback["state"], callback["url"]), ("pending", CALLBACK))
        self.assertEqual(self.operator.task(task)["callbacks"], [callback])
        self.assertEqual(self.operator.replay_callback(callback["id"])["id"], callback["id"])
        seen = self.operator.replay_callbacks({"taskId": task, "state": "pending"})
        self.assertEqual(seen, {"replayed": 1, "isPartial": False})
        self.assertEqual(self.operator.replay_callbacks({"taskId": task}), {"replayed": 0, "isPartial": False})

    def test_changes_many_tasks(self):
        made = [self.create() for _ in range(3)]
        for bulks, action in ((self.operator.bulks, "cancel"), (self.client.bulks, "retry")):
            request = {"action": action, "filter": {"service": self.service}}
            self.assertEqual(bulks.count(request), {"count": 3, "isExact": True})
            seen = self.ended_bulk(bulks, bulks.start(request))
            self.assertEqual((seen["state"], seen["done"], seen["failed"]), ("done", 3, 0))
            wanted = STATUS["CANCELLED" if action == "cancel" else "BEGIN"]
            self.assertEqual({self.client.get(task)["status"] for task in made}, {wanted})
            self.assertEqual(bulks.abort(seen["bulkId"])["state"], "done")
        newest = self.operator.list_bulks({"limit": 1000})["list"]
        self.assertIn(seen["bulkId"], [bulk["bulkId"] for bulk in newest])
        with self.assertRaises(TaskApiError) as caught:
            self.operator.bulks.start({"action": "delete"})
        self.assertEqual(caught.exception.http_status, 400)

    def test_repeats_what_changes_nothing_and_changes_only_what_was_not_received(self):
        for ask in (
            lambda client: client.operator.list({"ids": ["x"]}),
            lambda client: client.operator.overview(),
            lambda client: client.bulks.count({"action": "retry"}),
            lambda client: client.bulks.abort("x"),
        ):
            with Flaky((503, "away"), None, WELL) as flaky:
                ask(flaky.client)
            self.assertEqual(len(flaky.heard), 3)
        for change in (
            lambda client: client.operator.update("t", {"priority": 1}),
            lambda client: client.operator.remove(["t"]),
            lambda client: client.operator.set_service("s", {"paused": True}),
            lambda client: client.operator.replay_callbacks(),
            lambda client: client.bulks.start({"action": "retry", "all": True}),
        ):
            for answer, times in (((503, "away"), 1), (None, 1), ((429, refusal(14009, "too many requests")), 2)):
                with Flaky(answer, WELL) as flaky:
                    try:
                        change(flaky.client)
                    except TaskApiError:
                        pass
                self.assertEqual(len(flaky.heard), times, answer)

    def test_is_where_the_host_has_put_it(self):
        with Flaky(WELL) as flaky:
            uris = {"operatorUri": "/ops", "getTaskListUri": "/jobs"}
            client = TaskClient("http://127.0.0.1:%d" % flaky.server.server_port, "token", uris=uris)
            client.operator.stats({"from": "2026-01-01T00:00:00Z", "step": 60})
            client.operator.bulks.get("a/b")
            client.bulks.get("x")
            client.close()
        self.assertEqual(
            [path for _, path, _, _ in flaky.heard],
            ["/ops/stats?from=2026-01-01T00%3A00%3A00Z&step=60", "/ops/bulk/a%2Fb", "/jobs/bulk/x"],
        )
