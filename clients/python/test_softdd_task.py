"""Against a real server: SOFTDD_TASK_URL, SOFTDD_TASK_USER_TOKEN and SOFTDD_TASK_WORKER_TOKEN say which.

python3 -m unittest; the project's own tests start a server and run it.
"""

import http.server
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


def never(context):
    context.progress(1, str(os.getpid()))
    time.sleep(60)


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
        # Said once, however often it was tried; threads of other tests may have words of their own.
        self.assertEqual(len([line for line in logs.output if "can't be reached" in line]), 1)

    def test_refuses_what_can_not_work(self):
        for options in ({"concurrency": 0}, {"lease": 1}, {"lease": 6, "heartbeat": 4}, {"heartbeat": 0}):
            with self.assertRaises(ValueError):
                Worker(URL, TOKEN, **options)
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


class Told:
    """A server that says what it is told: `reports(number, reports)` answers status and body, None for well done."""

    def __init__(self, reports=lambda number, reports: None, tasks=1, slow=1.0):
        told = self
        self.claims, self.reports, self.puts = [], [], 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.claims.append(query)
                names = range(tasks) if len(told.claims) == 1 else ()
                if not names:
                    time.sleep(slow)
                tokens = [{"task": {"taskId": "t%d" % n, "temp": ""}, "leaseToken": "k%d" % n} for n in names]
                self.answer(200, json.dumps({"status": 1, "data": {"list": tokens}}))

            def do_PUT(self):
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["reports"]
                told.reports += said
                told.puts += 1
                well = json.dumps({"status": 1, "data": {"list": [{"status": 1, "data": {}} for _ in said]}})
                self.answer(*(reports(told.puts, said) or (200, well)))

            def answer(self, status, text, headers=()):
                try:
                    self.send_response(status)
                    for name, value in headers:
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(text.encode())
                except OSError:
                    pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def ends(self):
        return [report for report in self.reports if "status" in report]

    def work(self, handler, ends=1, seconds=10, **options):
        """Has a worker work until so many ends are reported; answers them."""
        worker = Worker(self.url, "token", wait=1, **options)(handler)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        try:
            until("the end", lambda: len(self.ends()) >= ends, seconds)
        finally:
            worker.close()
            thread.join(15)
            self.server.shutdown()
            self.server.server_close()
        return self.ends()


def refusal(code, message):
    return json.dumps({"status": 0, "data": {"code": code, "msg": message}})


class WithoutText(Exception):
    def __str__(self):
        raise ValueError("no text")


class ToldTest(unittest.TestCase):
    def test_says_an_end_again_that_the_queue_itself_did_not_refuse(self):
        troubles = {
            "a bare 404": (404, "404 page not found"),
            "a bare 403": (403, "<html>forbidden</html>"),
            "a page": (200, "<html>soon back</html>"),
            "a guard's bad moment": (430, refusal(10001, "invalid token")),
            "an answer without a list": (200, '{"status":1,"data":{}}'),
            "a list that is too short": (200, '{"status":1,"data":{"list":[]}}'),
            "no object": (200, '{"status":1,"data":{"list":[7]}}'),
        }
        for name, trouble in troubles.items():
            with self.subTest(name):
                ends = Told(lambda number, _: trouble if number == 1 else None).work(lambda _: "out", 2)
                self.assertEqual([(end["status"], end.get("output")) for end in ends], [(30, "out")] * 2)

    def test_a_give_back_that_is_refused_is_no_failure(self):
        told = Told(lambda *_: (400, refusal(14004, "invalid parameter")))
        worker = Worker(told.url, "token", wait=1, shutdown_timeout=0.1)(lambda context: time.sleep(5))
        threading.Timer(0.5, worker.close).start()
        worker.run()
        self.assertEqual({end["status"] for end in told.ends()}, {10})

    def test_a_checkpoint_that_is_refused_takes_no_result_along(self):
        def reports(_, said):
            return (413, "too large") if any("bad" == report.get("temp") for report in said) else None

        def handler(context):
            context.progress(1, "good")
            context.progress(99, "bad")
            return "out"

        ends = Told(reports).work(handler, 2)
        self.assertEqual([(end["status"], end["output"]) for end in ends], [(30, "out")] * 2)
        self.assertEqual((ends[0]["temp"], ends[1].get("temp"), ends[1]["progress"]), ("bad", None, 99))

    def test_a_checkpoint_that_is_no_text_fails_where_it_is_given(self):
        (end,) = Told().work(lambda context: context.progress(10, b"bytes"))
        self.assertEqual((end["error"], end["retry"]), ("TypeError: the checkpoint must be a str, not bytes", True))

    def test_an_exception_without_a_text_is_a_failure(self):
        def handler(_):
            raise WithoutText()

        (end,) = Told().work(handler)
        self.assertEqual((end["status"], end["error"], end["retry"]), (-10, "WithoutText", True))

    def test_waits_no_longer_than_its_lease_allows_before_it_says_it_again(self):
        reports = lambda number, _: (429, "later", [("Retry-After", "3600")]) if number == 1 else None  # noqa: E731
        ends = Told(reports).work(lambda _: "out", 2, 5, lease=6)
        self.assertEqual([end["status"] for end in ends], [30, 30])

    def test_asks_now_and_then_where_nothing_is_answered_at_once_though_it_works(self):
        told = Told(slow=0)
        told.work(lambda context: context.sleep(1), concurrency=2)
        self.assertLess(len(told.claims), 6)

    def test_goes_on_claiming_whatever_an_answer_is(self):
        told = Told()
        worker = Worker(told.url, "token", wait=1)(lambda _: "out")
        send, answers = worker._http.send, [{"list": [{}]}, {}]
        worker._http.send = lambda method, *args, **more: (
            answers.pop() if method == "POST" and answers else send(method, *args, **more)
        )
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        until("the end", told.ends)
        worker.close()
        thread.join(5)
        self.assertEqual(answers, [])

    def test_gives_back_what_it_has_no_thread_for(self):
        class Refused(threading.Thread):
            def start(self):
                if self._target.__name__ == "_work":
                    raise RuntimeError("can't start new thread")
                super().start()

        before, threading.Thread = threading.Thread, Refused
        try:
            told = Told()
            (end,) = told.work(lambda _: "out")
        finally:
            threading.Thread = before
        self.assertEqual(end["status"], 10)

    def test_a_heartbeat_that_failed_is_due_again(self):
        told = Told(lambda number, _: (503, "later") if number <= 2 else None)
        # Two heartbeats fail; the third try comes soon after them, not after another two seconds.
        told.work(lambda context: context.sleep(3.2), 1, lease=6)
        self.assertGreaterEqual(told.puts, 4)


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

    def test_killed_while_it_has_nothing_to_do_costs_no_attempt(self):
        with Running(shout, processes=True) as running:
            pid = json.loads(ended(create(running.service))["output"])["pid"]
            os.kill(pid, signal.SIGKILL)
            until("it is gone", lambda: not running.worker._children[0].alive)
            task = ended(create(running.service))
        self.assertEqual((task["status"], task["attempt"]), (30, 1))

    def test_end_with_the_worker_even_one_that_heeds_nothing(self):
        with Running(never, processes=True, shutdown_timeout=0.1) as running:
            task = create(running.service)
            pid = int(until("it runs", lambda: get(task)["temp"]))
        self.assertRaises(ProcessLookupError, os.kill, pid, 0)
        self.assertEqual((get(task)["status"], get(task)["attempt"]), (10, 0))


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
        program = [sys.executable, file, service, mode]
        return subprocess.Popen(program, env=environment, stderr=subprocess.PIPE, start_new_session=True)

    def stops(self, mode, number, send=os.kill):
        service = "py-" + uuid.uuid4().hex[:8]
        task = create(service)
        program = self.start(service, mode)
        until("it runs", lambda: get(task)["temp"])
        send(program.pid, number)
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

    def test_stops_at_a_sigterm_to_the_whole_group(self):
        self.stops("processes", signal.SIGTERM, os.killpg)

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
