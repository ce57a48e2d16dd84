import threading
import unittest
from unittest import mock

from softdd_task import TaskApiError
from softdd_task.worker import refusals
from softdd_task.worker.claimer import Claimer
from softdd_task.worker.refusals import Refusals


class RefusalsTest(unittest.TestCase):
    def test_end_a_worker_only_where_the_queue_itself_says_no(self):
        cases = (
            # HTTP status, code of the queue, whether it ends a new worker, and one that has claimed before
            (0, 0, False, False),
            (400, 14004, True, True),
            (400, 0, True, False),
            (401, 14002, True, False),
            (401, 0, True, False),
            (404, 0, True, False),
            (429, 14009, False, False),
            (430, 10001, True, False),
            (500, 14012, False, False),
            (503, 0, False, False),
        )
        for status, code, new, old in cases:
            with self.subTest((status, code)):
                judge = Refusals()
                self.assertEqual(judge.is_final(TaskApiError("no", status, code)), new)
                judge.answered()
                self.assertEqual(judge.is_final(TaskApiError("no", status, code)), old)

    def test_of_a_token_that_worked_are_final_after_five_minutes_in_a_row(self):
        no, away = TaskApiError("no", 430, 10001), TaskApiError("away", 503)
        with mock.patch.object(refusals.time, "monotonic") as clock:
            judge = Refusals()
            judge.answered()
            for now, error, final in (
                (0, no, False),
                (299, no, False),
                (299, away, False),
                (310, no, False),
                (609, no, False),
                (610, no, True),
            ):
                clock.return_value = now
                self.assertEqual(judge.is_final(error), final, now)
                self.assertEqual(judge.forbidden, error is no)


class ClaimerTest(unittest.TestCase):
    def test_that_has_no_free_place_does_not_miss_the_end(self):
        class Closing(threading.Event):
            """It is set, with its notice, right after it was read for the first time."""

            def is_set(self):
                was = super().is_set()
                if not was:
                    self.set()
                    with lock:
                        lock.notify_all()
                return was

        lock, closing = threading.Condition(), Closing()
        claimer = Claimer(None, lock, [object()], 1, closing, Refusals(), lambda *_: None)
        claimer.start()
        claimer.join(60)
        ended = not claimer._thread.is_alive()
        with lock:
            lock.notify_all()
        self.assertTrue(ended)
