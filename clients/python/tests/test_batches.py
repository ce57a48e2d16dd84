import unittest
import uuid

from softdd_task import STATUS, TaskApiError, TaskClient, WaitTimeoutError

from .support import OPERATOR, URL, USER


class BatchesTest(unittest.TestCase):
    def setUp(self):
        self.client = TaskClient(URL, USER)
        self.addCleanup(self.client.close)
        self.service = uuid.uuid4().hex[:8]
        operator = TaskClient(URL, OPERATOR)
        self.addCleanup(operator.close)
        self.all = operator.operator.batches

    def part(self, text, **more):
        return {"input": text, "service": self.service, **more}

    def test_from_the_create_to_the_end(self):
        tasks = [self.part("a", ref="a"), self.part("b", dependsOn=["a"], runOn="ended")]
        started = self.client.batch(tasks, then=self.part("{{batchId}}"))
        batch_id = started.created["batchId"]
        self.assertEqual(started.created["counts"]["waiting"], 1)
        self.assertEqual(len(started.created["taskIds"]), 2)
        with self.assertRaises(WaitTimeoutError) as caught:
            started.wait(timeout=0.3)
        self.assertEqual(caught.exception.detail["batch"]["batchId"], batch_id)
        for task_id in started.created["taskIds"]:
            self.client.update(task_id, {"status": STATUS["CANCELLED"]})
        ended = started.wait(timeout=20)
        self.assertEqual((ended["state"], ended["progress"]), ("cancelled", 100))
        self.assertEqual(self.client.get(ended["thenTaskId"])["input"], batch_id)
        self.assertIn(batch_id, [each["batchId"] for each in self.client.batches.list(limit=100)["list"]])

    def test_that_is_added_to_sealed_and_cancelled(self):
        batches = self.client.batches
        batch_id = batches.create([], seal=False)["batchId"]
        self.assertEqual(batches.add(batch_id, [self.part("x")])["total"], 1)
        self.assertTrue(batches.seal(batch_id)["sealed"])
        with self.assertRaises(TaskApiError):
            batches.add(batch_id, [self.part("y")])
        batches.cancel(batch_id)
        self.assertEqual(batches.wait(batch_id, timeout=20)["state"], "cancelled")

    def test_with_its_graph_and_for_operators(self):
        batches = self.client.batches
        batch_id = batches.create([self.part("a", ref="a"), self.part("b", dependsOn=["a"])], seal=False)["batchId"]
        first, second = batches.tasks(batch_id)["list"]
        self.assertEqual((first["ref"], second["dependsOn"], second["layer"]), ("a", [first["taskId"]], 1))
        self.assertEqual(batches.tasks(batch_id, {"layer": 0})["list"], [first])
        self.assertEqual([each["total"] for each in batches.layers(batch_id, limit=10)["list"]], [1, 1])
        self.assertIn(batch_id, [each["batchId"] for each in batches.list(state="open")["list"]])
        self.assertEqual(self.all.get(batch_id)["userId"], "alice")
        self.assertIn(batch_id, [each["batchId"] for each in self.all.list({"userId": "alice", "limit": 100})["list"]])
        self.assertEqual(self.all.tasks(batch_id, {"limit": 1})["list"], [first])
        self.assertEqual(len(self.all.layers(batch_id)["list"]), 2)
        self.assertTrue(self.all.seal(batch_id)["sealed"])
        self.all.cancel(batch_id)
        self.assertEqual(batches.wait(batch_id, timeout=20)["state"], "cancelled")
