import json
import logging
import socket
import threading
import time
import unittest

from softdd_task import RetryLater, Stopped, TaskError, UnrecoverableError, Worker

from .support import TOKEN, URL, Running, create, ended, get, slow, until, user


class WorkerTest(unittest.TestCase):
    def test_hands_the_task_over_and_its_output_back(self):
        def handler(context):
            context.progress(30.7, "half")
            return {"input": context.task["input"], "checkpoint": context.checkpoint}

        with Running(handler) as running:
            task = ended(create(running.service, input="schöne 🌍"))
        self.assertEqual((task["status"], task["progress"], task["temp"]), (30, 100, "half"))
        self.assertEqual(json.loads(task["output"]), {"input": "schöne 🌍", "checkpoint": ""})

    def test_tries_again_from_the_checkpoint(self):
        seen = []

        def handler(context):
            seen.append(context.checkpoint)
            context.progress(50, "after %d" % context.task["attempt"])
            if context.task["attempt"] == 1:
                raise RetryLater(0, "busy")

        with Running(handler) as running:
            task = ended(create(running.service))
        self.assertEqual(seen, ["", "after 1"])
        self.assertEqual((task["status"], task["attempt"], task["output"]), (30, 2, ""))

    def test_waits_as_long_as_it_is_told(self):
        times = []

        def handler(context):
            times.append(time.monotonic())
            if context.task["attempt"] == 1:
                raise RetryLater(1.5)

        with Running(handler) as running:
            ended(create(running.service))
        self.assertGreater(times[1] - times[0], 1.5)

    def test_says_why_it_failed(self):
        def handler(_):
            raise KeyError("frame 7")

        def final(_):
            raise UnrecoverableError("no such codec")

        with Running(handler) as running:
            task = ended(create(running.service, maxAttempts=1))
        self.assertEqual(task["status"], -10)
        self.assertRegex(task["error"], r"^KeyError: 'frame 7'\nTraceback[^$]*, in handler\n +raise KeyError\(\"frame 7\"\)$")
        with Running(final) as running:
            task = ended(create(running.service))
        self.assertEqual((task["status"], task["error"], task["attempt"]), (-10, "no such codec", 1))

    def test_fails_a_task_whose_output_is_refused(self):
        with Running(lambda _: "x" * 70_000) as running:
            task = ended(create(running.service))
        self.assertEqual(task["status"], -10)
        self.assertRegex(task["error"], r"the result was refused: .*too large \(.*\[output: maxBytes\]\)$")

    def test_works_so_many_at_once_as_it_may(self):
        lock, now, most, barrier = threading.Lock(), [0], [0], threading.Barrier(4)

        def handler(_):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            barrier.wait(60)
            with lock:
                now[0] -= 1

        with Running(handler, concurrency=4) as running:
            task = {"input": "in", "service": running.service, "status": 10}
            for made in user("POST", "/api/tasks", [task] * 12)["list"]:
                self.assertEqual(ended(made["taskId"])["status"], 30)
        self.assertEqual(most[0], 4)

    def test_hears_of_a_cancel_with_its_next_report(self):
        contexts, stopped = [], []

        def handler(context):
            contexts.append(context)
            try:
                for step in range(1000):
                    context.check()
                    context.progress(step % 100, str(step))
                    time.sleep(0.05)
            except Stopped as error:
                stopped.append((error.reason, time.monotonic()))
                raise

        with self.assertLogs("softdd_task", logging.WARNING) as logs, Running(handler) as running:
            task = create(running.service)
            until("it runs", lambda: get(task)["progress"] > 0)
            user("PUT", "/api/tasks/" + task, {"status": -20})
            cancelled = time.monotonic()
            until("it stops", lambda: stopped)
        self.assertEqual(
            [line for line in logs.output if task in line], ["WARNING:softdd_task:%s lost: cancelled" % task]
        )
        self.assertEqual(stopped[0][0], "cancelled")
        self.assertLess(stopped[0][1] - cancelled, 30)
        self.assertEqual(get(task)["status"], -20)

    @slow
    def test_holds_its_lease_while_it_is_silent_and_hears_of_a_cancel_within_a_heartbeat(self):
        contexts, heard = [], []

        def handler(context):
            contexts.append(context)
            if context.sleep(30):
                heard.append(time.monotonic())

        with Running(handler, lease=3) as running:
            task = create(running.service)
            until("it runs", lambda: contexts)
            time.sleep(5)
            self.assertEqual((get(task)["status"], get(task)["attempt"]), (20, 1))
            user("PUT", "/api/tasks/" + task, {"status": -20})
            cancelled = time.monotonic()
            until("it hears", lambda: heard)
        self.assertLess(heard[0] - cancelled, 25)

    def test_gives_back_what_is_not_done(self):
        def handler(context):
            context.progress(40, "frame 400")
            context.sleep(60)
            context.check()

        with Running(handler, shutdown_timeout=0.2) as running:
            task = create(running.service)
            until("it runs", lambda: get(task)["temp"])
        seen = get(task)
        self.assertEqual((seen["status"], seen["attempt"], seen["temp"]), (10, 0, "frame 400"))

    def test_gives_back_what_a_poll_took_that_was_given_up(self):
        with Running(lambda _: None) as running:
            time.sleep(0.3)
            before = time.monotonic()
        self.assertLess(time.monotonic() - before, 1.5)
        task = create(running.service)
        time.sleep(0.3)
        self.assertEqual(get(task)["status"], 10)

    def test_is_refused_with_a_wrong_token(self):
        with self.assertRaises(TaskError) as caught:
            Worker(URL, "no-such-token-0123456789")(lambda _: None).run()
        self.assertEqual((caught.exception.code, caught.exception.http_status), (10001, 430))

    def test_waits_for_a_server_that_is_away(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        worker = Worker("http://127.0.0.1:%d" % port, TOKEN)(lambda _: None)
        with self.assertLogs("softdd_task", logging.WARNING) as logs:
            thread = threading.Thread(target=worker.run)
            thread.start()
            time.sleep(1)
            worker.close()
            thread.join(60)
        self.assertFalse(thread.is_alive())
        # Said once, however often it was tried; threads of other tests may have words of their own.
        self.assertEqual(len([line for line in logs.output if "can't be reached" in line]), 1)

    def test_refuses_what_can_not_work(self):
        options = {
            "concurrency": (0, 1001, 1.5, "2"),
            "lease": (1, 86_401, 7.5),
            "heartbeat": (0, 31, "1"),
            "wait": (-1, 31, 0.5),
            "progress_interval": (0, -1, float("nan")),
            "shutdown_timeout": (-1, float("inf"), None),
            "worker_id": ("", "w" * 65),
        }
        for name, values in options.items():
            for value in values:
                with self.assertRaisesRegex(ValueError, name):
                    Worker(URL, TOKEN, **{name: value})
        for token in ("to\nken", "schlüssel"):
            with self.assertRaises(ValueError):
                Worker(URL, token)
        with self.assertRaises(ValueError):
            Worker("tasks.example.com", TOKEN)
        with self.assertRaises(TypeError):
            Worker(URL, TOKEN).run()
        for seconds in (-1, float("inf"), float("nan")):
            with self.assertRaises(ValueError):
                RetryLater(seconds)
