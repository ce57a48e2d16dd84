"""Against a real server: SOFTDD_TASK_URL, SOFTDD_TASK_USER_TOKEN and SOFTDD_TASK_WORKER_TOKEN say which.

python3 -m unittest; the project's own tests start a server and run it.
"""

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import urllib.request
import uuid

import softdd_task
from softdd_task import RetryLater, Stopped, TaskError, UnrecoverableError, Worker

URL = os.environ.get("SOFTDD_TASK_URL", "http://127.0.0.1:3000")
USER, TOKEN = os.environ.get("SOFTDD_TASK_USER_TOKEN", ""), os.environ.get("SOFTDD_TASK_WORKER_TOKEN", "")
FOLDER = os.path.dirname(os.path.abspath(__file__))


def user(method, path, body=None):
    headers = {"Authorization": "Bearer " + USER, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers, method=method)) as response:
        return json.load(response)["data"]


def until(what, ask, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("%s: not within %s s" % (what, seconds))


def create(service, **more):
    return user("POST", "/api/tasks", {"input": "in", "service": service, "status": 10, **more})["taskId"]


def get(task):
    return user("GET", "/api/tasks/" + task)


def ended(task, seconds=15):
    return until("the end", lambda: (lambda seen: seen if seen["status"] in (30, -10, -20) else None)(get(task)), seconds)


class Running:
    """A worker of a service of its own, in a thread."""

    def __init__(self, handler, **options):
        self.service = "py-" + uuid.uuid4().hex[:8]
        self.worker = Worker(URL, TOKEN, service=self.service, wait=2, **options)(handler)
        self.thread = threading.Thread(target=self.worker.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.worker.close()
        self.thread.join(15)
        assert not self.thread.is_alive(), "the worker goes on"


def shout(context):
    """Found by its name, for processes."""
    context.progress(50, "half")
    return {"pid": os.getpid(), "input": context.task["input"].upper()}


def hold_the_gil(digits):
    """One step of the interpreter that never lets go; it takes as long as the square of the digits."""
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    before = time.monotonic()
    int("7" * digits, 9)
    return time.monotonic() - before


def compute(context):
    return "%.1f" % hold_the_gil(int(context.task["args"]))


def die(context):
    if context.task["attempt"] == 1:
        os._exit(7)
    return "again"


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
        self.assertEqual((task["status"], task["error"]), (-10, "KeyError: 'frame 7'"))
        with Running(final) as running:
            task = ended(create(running.service))
        self.assertEqual((task["status"], task["error"], task["attempt"]), (-10, "no such codec", 1))

    def test_fails_a_task_whose_output_is_refused(self):
        with Running(lambda _: "x" * 70_000) as running:
            task = ended(create(running.service))
        self.assertEqual(task["status"], -10)
        self.assertRegex(task["error"], "the result was refused: .*too large")

    def test_works_so_many_at_once_as_it_may(self):
        lock, now, most = threading.Lock(), [0], [0]

        def handler(_):
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(0.1)
            with lock:
                now[0] -= 1

        with Running(handler, concurrency=4) as running:
            for task in [create(running.service) for _ in range(12)]:
                ended(task)
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

        with Running(handler) as running:
            task = create(running.service)
            until("it runs", lambda: get(task)["progress"] > 0)
            user("PUT", "/api/tasks/" + task, {"status": -20})
            cancelled = time.monotonic()
            until("it stops", lambda: stopped)
        self.assertEqual(stopped[0][0], "cancelled")
        self.assertLess(stopped[0][1] - cancelled, 1.0)
        self.assertEqual(get(task)["status"], -20)

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
        self.assertLess(heard[0] - cancelled, 1.3)

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
            thread.join(5)
        self.assertFalse(thread.is_alive())
        self.assertEqual(len(logs.output), 1)
        self.assertIn("can't be reached", logs.output[0])

    def test_refuses_what_can_not_work(self):
        for options in ({"concurrency": 0}, {"lease": 1}):
            with self.assertRaises(ValueError):
                Worker(URL, TOKEN, **options)
        with self.assertRaises(ValueError):
            Worker("tasks.example.com", TOKEN)
        with self.assertRaises(TypeError):
            Worker(URL, TOKEN).run()
        with self.assertRaises(ValueError):
            RetryLater(-1)


class ProcessesTest(unittest.TestCase):
    def test_run_handlers_each_in_its_own_that_stays(self):
        with Running(shout, processes=True) as running:
            tasks = [ended(create(running.service)) for _ in range(3)]
        outputs = [json.loads(task["output"]) for task in tasks]
        self.assertEqual({output["input"] for output in outputs}, {"IN"})
        self.assertEqual(len({output["pid"] for output in outputs}), 1)
        self.assertNotEqual(outputs[0]["pid"], os.getpid())
        self.assertEqual(tasks[0]["temp"], "half")

    def test_hold_the_lease_while_a_handler_holds_the_gil(self):
        # Longer than a lease and the sweeper's second.
        args = str(int(50_000 * (7 / hold_the_gil(50_000)) ** 0.5))
        with Running(compute, processes=True, lease=3) as running:
            task = ended(create(running.service, args=args), 60)
        self.assertEqual((task["status"], task["attempt"]), (30, 1))
        self.assertGreater(float(task["output"]), 4)

    def test_may_die(self):
        with Running(die, processes=True) as running:
            task = create(running.service)
            until("it died", lambda: get(task)["error"])
            self.assertEqual(get(task)["error"], "the process of the handler died, exit code 7")
            user("PUT", "/api/tasks/" + task, {"status": 10})
            self.assertEqual(ended(task)["output"], "again")


SCRIPT = """
import os, sys
from softdd_task import Worker

@Worker(os.environ["SOFTDD_TASK_URL"], os.environ["SOFTDD_TASK_WORKER_TOKEN"], service=sys.argv[1], lease=3,
        shutdown_timeout=0.5, processes=sys.argv[2] == "processes")
def work(context):
    for step in range(int(context.checkpoint or 0) + 1, 1001):
        context.progress(step / 10, str(step))
        if context.sleep(0.05):
            context.check()
    return "done"

if __name__ == "__main__":
    work.run()
"""


class ProgramTest(unittest.TestCase):
    def start(self, service, mode):
        file = os.path.join(os.environ.get("TMPDIR", "/tmp"), "softdd-task-%s.py" % service)
        with open(file, "w") as script:
            script.write(SCRIPT)
        self.addCleanup(lambda: os.path.exists(file) and os.remove(file))
        environment = {**os.environ, "PYTHONPATH": FOLDER}
        return subprocess.Popen([sys.executable, file, service, mode], env=environment, stderr=subprocess.PIPE)

    def stops(self, mode, number):
        service = "py-" + uuid.uuid4().hex[:8]
        task = create(service)
        program = self.start(service, mode)
        until("it runs", lambda: get(task)["temp"])
        program.send_signal(number)
        _, errors = program.communicate(timeout=10)
        self.assertEqual((program.returncode, errors), (0, b""))
        seen = get(task)
        self.assertEqual((seen["status"], seen["attempt"]), (10, 0))
        self.assertGreater(int(seen["temp"]), 0)

    def test_stops_at_sigterm(self):
        self.stops("threads", signal.SIGTERM)

    def test_stops_at_sigint(self):
        self.stops("threads", signal.SIGINT)

    def test_stops_at_sigterm_with_processes(self):
        self.stops("processes", signal.SIGTERM)

    def test_killed_its_task_goes_on_from_the_checkpoint(self):
        service = "py-" + uuid.uuid4().hex[:8]
        task = create(service)
        first = self.start(service, "threads")
        until("it runs", lambda: int(get(task)["temp"] or 0) > 10)
        first.kill()
        first.communicate()
        checkpoint = int(get(task)["temp"])
        second = self.start(service, "threads")
        seen = until("the second goes on", lambda: (lambda t: t if t["attempt"] == 2 and t["progress"] else None)(get(task)))
        self.assertGreater(int(seen["temp"]), checkpoint - 1)
        user("PUT", "/api/tasks/" + task, {"status": -20})
        second.terminate()
        second.communicate(timeout=10)


if __name__ == "__main__":
    unittest.main()
