import unittest
import uuid

from softdd_task import ERROR_CODE, STATUS, TaskApiError, TaskClient

from .support import OPERATOR, URL, USER

DAILY = {"cron": "30 2 * * *", "timeZone": "Europe/London", "task": {"input": "report"}}


class SchedulesTest(unittest.TestCase):
    def setUp(self):
        client, operator = TaskClient(URL, USER), TaskClient(URL, OPERATOR)
        self.addCleanup(client.close)
        self.addCleanup(operator.close)
        self.schedules, self.all = client.schedules, operator.operator.schedules
        self.key = "py / %s" % uuid.uuid4().hex[:8]

    def test_of_a_user(self):
        made = self.schedules.put(self.key, DAILY)
        self.assertEqual((made["key"], made["cron"], len(made["next"])), (self.key, DAILY["cron"], 5))
        self.assertEqual(self.schedules.put(self.key, DAILY), made)
        self.assertEqual(self.schedules.get(self.key), made)
        self.assertTrue(self.schedules.pause(self.key)["paused"])
        self.assertIn(self.key, [each["key"] for each in self.schedules.list({"state": "paused"})["list"]])
        self.assertEqual(self.schedules.resume(self.key)["state"], "active")
        task = self.schedules.run(self.key)
        self.assertEqual((task["scheduleKey"], task["status"]), (self.key, STATUS["BEGIN"]))
        self.assertEqual(self.schedules.remove(self.key), {"key": self.key})
        with self.assertRaises(TaskApiError) as caught:
            self.schedules.get(self.key)
        self.assertEqual(caught.exception.code, ERROR_CODE["NOT_FOUND"])
        self.assertIn("there is no schedule of this key", str(caught.exception))
        with self.assertRaises(TaskApiError) as caught:
            self.schedules.put(self.key, {**DAILY, "cron": "daily"})
        self.assertEqual(caught.exception.detail[0]["field"], "cron")

    def test_of_all_owners(self):
        self.schedules.put(self.key, DAILY)
        self.assertEqual(self.all.get("alice", self.key)["userId"], "alice")
        self.assertIn(self.key, [each["key"] for each in self.all.list({"userId": "alice"})["list"]])
        self.assertTrue(self.all.pause("alice", self.key)["paused"])
        self.assertFalse(self.all.resume("alice", self.key)["paused"])
        self.assertEqual(self.all.run("alice", self.key)["userId"], "alice")
        self.assertEqual(self.all.remove("alice", self.key), {"key": self.key})
