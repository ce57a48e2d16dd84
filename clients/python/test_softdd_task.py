"""Against a real server: SOFTDD_TASK_URL, SOFTDD_TASK_USER_TOKEN and SOFTDD_TASK_WORKER_TOKEN say which.

python3 -m unittest; the project's own tests start a server and run it.
"""

import _thread
import ast
import contextlib
import email.utils
import http.server
import importlib
import json
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
import uuid
import warnings
from functools import partial
from unittest import mock

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
    return until(
        "the end", lambda: (lambda seen: seen if seen["status"] in (30, -10, -20) else None)(get(task)), seconds
    )


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


def nap():
    time.sleep(60)


def pools(context):
    """Both ways to have processes of one's own; a Pool ends its workers by SIGTERM."""
    outputs = []
    for method in ("fork", "spawn"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # A fork of a process with threads.
            with multiprocessing.get_context(method).Pool(2) as pool:
                outputs += pool.map(abs, [-1, -2])
    return outputs


def start_nap(context):
    """Says who it is and who its own process is, and goes on; or dies at the first attempt."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own = multiprocessing.get_context("fork").Process(target=nap)
        own.start()
    context.progress(1, "%d %d" % (os.getpid(), own.pid))
    time.sleep(1.5)
    if context.task["args"] == "die":
        os._exit(7)
    time.sleep(60)


def circle(_):
    return {"lock": threading.Lock()}


def is_gone(pid):
    """Whether it has ended; one that nobody has waited for yet has."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


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


class FileTest(unittest.TestCase):
    def test_is_python_3_9(self):
        with open(os.path.join(FOLDER, "softdd_task.py")) as file:
            ast.parse(file.read(), feature_version=(3, 9))

    @unittest.skipIf(sys.version_info < (3, 11), "no tomllib")
    def test_is_packaged_with_the_version_of_the_project(self):
        import tomllib

        with open(os.path.join(FOLDER, "pyproject.toml"), "rb") as file:
            project = tomllib.load(file)
        with open(os.path.join(FOLDER, "../../package.json")) as file:
            self.assertEqual(softdd_task.__version__, json.load(file)["version"])
        self.assertEqual(project["project"]["dynamic"], ["version"])
        self.assertEqual(project["tool"]["setuptools"]["dynamic"]["version"], {"attr": "softdd_task.__version__"})
        self.assertEqual(project["tool"]["setuptools"]["py-modules"], ["softdd_task"])

    def test_takes_an_address_of_ipv6_without_a_port(self):
        for url, port in (("http://[::1]", 80), ("https://[::1]", 443), ("http://[::1]:3000", 3000)):
            connection = Worker(url, "token")._claims._new(1)
            self.assertEqual((connection.host, connection.port), ("::1", port))


class Told:
    """A server that says what it is told, by `claims(number)` and `reports(number, reports)`.

    They answer status, body and headers; None for well done, and DROP for no answer at all. The first claim that goes
    well takes so many tasks.
    """

    DROP = (0, "")

    def __init__(self, reports=lambda number, said: None, claims=lambda number: None, tasks=1, slow=0.3, quits=False):
        told = self
        self.claims, self.keys, self.tokens, self.reports = [], [], [], []
        self.sizes, self.times, self.connections, self.left = [], [], 0, tasks

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def setup(self):
                super().setup()
                told.connections += 1

            def do_POST(self):
                told.claims.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                told.keys.append(self.headers["Idempotency-Key"])
                told.tokens.append(self.headers["Authorization"])
                told.times.append(time.monotonic())
                answer = claims(len(told.claims))
                if answer is None:
                    names, told.left = range(told.left), 0
                    if not names:
                        time.sleep(slow)
                    tokens = [{"task": {"taskId": "t%d" % n, "temp": ""}, "leaseToken": "k%d" % n} for n in names]
                    answer = (200, json.dumps({"status": 1, "data": {"list": tokens}}))
                self.answer(*answer)

            def do_PUT(self):
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["reports"]
                told.reports += said
                told.sizes.append(len(said))
                well = json.dumps({"status": 1, "data": {"list": [{"status": 1, "data": {}} for _ in said]}})
                self.answer(*(reports(len(told.sizes), said) or (200, well)))

            def answer(self, status, text, headers=()):
                self.close_connection = quits or not status
                if not status:
                    return
                try:
                    self.send_response(status)
                    for name, value in (*headers, ("Content-Length", len(text) or 9999)):
                        self.send_header(name, value)
                    self.end_headers()
                    while isinstance(text, Drip):
                        self.wfile.write(b" ")
                        time.sleep(0.2)
                    self.wfile.write(text.encode())
                except OSError:
                    pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        self.server.handle_error = lambda *_: None  # A worker that closes its connections.
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def ends(self):
        return [report for report in self.reports if "status" in report]

    def work(self, handler, ends=1, seconds=10, **options):
        """Has a worker work until so many ends are reported; answers them."""
        with self.working(handler, **options):
            until("the end", lambda: len(self.ends()) >= ends, seconds)
        return self.ends()

    @contextlib.contextmanager
    def working(self, handler, token="token", **options):
        worker = Worker(self.url, token, wait=1, **options)(handler)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        try:
            yield worker
        finally:
            worker.close()
            thread.join(15)
            self.stop()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def refusal(code, message):
    return json.dumps({"status": 0, "data": {"code": code, "msg": message}})


class WithoutText(Exception):
    def __str__(self):
        raise ValueError("no text")


EMPTY = (200, json.dumps({"status": 1, "data": {"list": []}}))


class Drip(str):
    """A byte now and then, of an answer without an end."""


class ToldTest(unittest.TestCase):
    @contextlib.contextmanager
    def assertNoLogs_(self, text):
        with self.assertLogs("softdd_task", logging.DEBUG) as logs:
            yield
        self.assertEqual([line for line in logs.output if text in line], [])

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
        answers = ["{}", '{"list":[{}]}', '{"list":7}', "[]"]
        told = Told(claims=lambda n: (200, '{"status":1,"data":%s}' % answers[n - 1]) if n <= len(answers) else None)
        (end,) = told.work(lambda _: "out")
        self.assertEqual(end["output"], "out")

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
        self.assertGreaterEqual(len(told.sizes), 4)

    def test_goes_on_when_a_token_that_worked_is_refused_for_a_moment(self):
        no = (430, refusal(10001, "invalid token"))
        told = Told(claims=lambda number: no if number in (2, 3) else None)
        with self.assertLogs("softdd_task", logging.WARNING) as logs:
            with told.working(lambda _: "out"):
                until("claims again", lambda: len(told.claims) > 4)
        self.assertEqual([end["output"] for end in told.ends()], ["out"])
        self.assertEqual(len([line for line in logs.output if "refuses this worker" in line]), 1)

    def test_ends_when_it_is_refused_for_good(self):
        before, softdd_task.REFUSED_FOR = softdd_task.REFUSED_FOR, 1.0
        try:
            for status in (401, 403, 430):
                # A server that is away for a moment begins the row anew.
                no = [(status, refusal(14002, "no"))] * 3 + [(503, "later")] + [(status, refusal(14002, "no"))] * 99
                told = Told(claims=lambda number: no[number - 2] if number > 1 else None)  # noqa: B023
                with self.assertRaises(TaskError) as caught:
                    Worker(told.url, "token", wait=1)(lambda _: "out").run()
                self.assertEqual(caught.exception.http_status, status)
                self.assertGreater(told.times[-1] - told.times[5], 0.9)
                told.stop()
        finally:
            softdd_task.REFUSED_FOR = before

    def test_ends_at_once_where_a_rule_is_broken(self):
        told = Told(claims=lambda number: (400, refusal(14004, "invalid parameter")) if number > 1 else None)
        with self.assertRaises(TaskError):
            Worker(told.url, "token", wait=1)(lambda _: "out").run()
        self.assertEqual(len(told.claims), 2)
        told.stop()

    def test_stops_a_handler_whose_lease_ran_out_while_the_queue_was_away(self):
        began, seen = time.monotonic(), []

        def handler(context):
            if context.task["taskId"] == "t0":
                return "out"
            stopped = context.sleep(20)
            seen.append((stopped, context.reason, time.monotonic() - began))

        away = lambda *_: (503, "away") if time.monotonic() - began < 8 else None  # noqa: E731
        told = Told(away, tasks=2)
        with self.assertLogs("softdd_task", logging.WARNING) as logs, told.working(handler, concurrency=2, lease=3):
            until("it stops", lambda: seen)
            until("its place is free", lambda: told.claims[-1]["limit"] == 1, 2)
            # What was done before is said all the same.
            until("the end of the other", lambda: told.claims[-1]["limit"] == 2)
        self.assertEqual(seen[0][:2], (True, "lost"))
        self.assertTrue(5 < seen[0][2] < 6.5, seen)
        self.assertEqual({(end["taskId"], end["output"]) for end in told.ends()}, {("t0", "out")})
        self.assertEqual(len([line for line in logs.output if "t1 lost: lost" in line]), 1)

    def test_an_output_that_is_no_json_is_a_failure_for_good(self):
        circle = []
        circle.append(circle)
        for output in (b"bytes", {"a": circle}, float("nan"), [float("inf")]):
            with self.subTest(repr(output)):
                (end,) = Told().work(lambda _: output)  # noqa: B023
                self.assertRegex(end["error"], "^the output is no JSON: ")
                self.assertEqual((end["status"], "retry" in end), (-10, False))

    def test_claims_no_more_when_it_is_interrupted(self):
        told = Told(tasks=0)
        worker = Worker(told.url, "token", wait=1)(lambda _: "out")
        threading.Timer(0.5, _thread.interrupt_main).start()
        with self.assertRaises(KeyboardInterrupt):
            worker.run(handle_signals=False)
        claims = len(told.claims)
        time.sleep(3)
        self.assertLessEqual(len(told.claims), claims + 1)
        told.stop()

    def test_keeps_a_connection_while_it_is_used(self):
        told = Told()

        def handler(context):
            for step in range(40):
                context.progress(step, str(step))
                time.sleep(0.05)

        told.work(handler, progress_interval=0.05, concurrency=2)
        self.assertGreater(len(told.sizes), 20)
        # One for the reports, and one for the claims, that its end cut off, with one to ask what came of the last.
        self.assertLessEqual(told.connections, 3)

    def test_reconnects_where_a_connection_was_closed_meanwhile(self):
        told = Told(quits=True)

        def handler(context):
            for step in range(20):
                context.progress(step, str(step))
                time.sleep(0.05)
            return "out"

        with self.assertNoLogs_("can't be reached"):
            told.work(handler, progress_interval=0.05)
        self.assertGreater(len(told.sizes), 10)
        self.assertEqual([report["temp"] for report in told.reports if "temp" in report][-1], "19")

    @unittest.skipUnless(shutil.which("openssl"), "no openssl")
    def test_reads_the_certificates_once(self):
        told = Told()
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "certificate.pem")
            subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
            made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate]
            subprocess.run([*made, *subject], check=True, capture_output=True)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            os.environ["SSL_CERT_FILE"] = certificate
            try:
                worker = Worker(told.url.replace("http", "https"), "token", wait=1)(lambda _: "out")
            finally:
                del os.environ["SSL_CERT_FILE"]
        told.server.socket = context.wrap_socket(told.server.socket, server_side=True)
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()
        until("the end", told.ends)
        worker.close()
        thread.join(5)
        told.stop()
        self.assertFalse(thread.is_alive())

    def test_waits_no_longer_for_an_answer_that_drips(self):
        told = Told(lambda number, _: (200, Drip()) if number == 1 else None)
        began = time.monotonic()
        told.work(lambda _: "out", 2, lease=3)
        # Half of the lease, and a little.
        self.assertTrue(1.4 < time.monotonic() - began < 3.5)

    def test_reads_no_answer_without_end(self):
        before, softdd_task.LONGEST_ANSWER = softdd_task.LONGEST_ANSWER, 100_000
        try:
            told = Told(lambda number, _: (200, " " * 200_000) if number == 1 else None)
            with self.assertLogs("softdd_task", logging.WARNING) as logs:
                told.work(lambda _: "out", 2)
        finally:
            softdd_task.LONGEST_ANSWER = before
        self.assertRegex("".join(logs.output), "the answer is longer than 100000 bytes")

    def test_says_many_ends_in_one_request(self):
        barrier = threading.Barrier(20)
        told = Told(tasks=20)
        ends = told.work(lambda _: str(barrier.wait()), 20, concurrency=20)
        self.assertEqual(len({end["taskId"] for end in ends}), 20)
        self.assertLess(len(told.sizes), 6)

    def test_sends_each_for_itself_until_one_can_not_be_sent(self):
        barrier = threading.Barrier(5)
        troubles = {2: (400, refusal(14004, "one is bad")), 4: (503, "later"), 5: (430, refusal(10001, "no"))}

        def reports(number, _):
            # All end while the first words are not answered yet.
            return time.sleep(0.5) if number == 1 else troubles.get(number)

        def handler(context):
            if context.task["taskId"] == "t0":
                context.progress(1)
                context.sleep(0.2)
            return barrier.wait()

        told = Told(reports, tasks=5)
        told.work(handler, 5 + 1 + 1 + 4 + 4, concurrency=5)
        # One was taken; the others come again together, and once more: a guard's no is not about one of them.
        self.assertEqual(told.sizes, [1, 5, 1, 1, 4, 4])

    def test_a_claim_whose_answer_was_lost_is_asked_for_again_and_renewed_at_once(self):
        told = Told(claims=lambda number: Told.DROP if number == 1 else None)
        with told.working(lambda context: context.sleep(3), concurrency=2):
            until("the renewal", lambda: told.reports, 2)
            self.assertEqual(told.reports, [{"taskId": "t0", "leaseToken": "k0"}])
            until("another claim", lambda: len(told.claims) > 2)
        self.assertEqual(told.keys[0], told.keys[1])
        self.assertNotIn(told.keys[2], told.keys[:2])

    def test_a_poll_that_is_given_up_is_withdrawn(self):
        told = Told(tasks=0, slow=5)
        with told.working(lambda _: None):
            until("the poll", lambda: told.claims)
        poll, withdrawal = told.claims
        self.assertEqual((withdrawal["limit"], withdrawal.get("wait")), (0, None))
        self.assertEqual(told.keys[0], told.keys[1])
        self.assertEqual({**poll, "limit": 0, "wait": 0}, {**withdrawal, "wait": 0})

    def test_a_claim_that_a_closed_connection_took_along_is_renewed_at_once_too(self):
        told = Told(claims=lambda number: EMPTY if number == 1 else Told.DROP if number == 2 else None)
        with told.working(lambda context: context.sleep(3)):
            until("the renewal", lambda: told.reports, 3)
        self.assertEqual(told.keys[1], told.keys[2])

    def test_waits_until_the_date_that_it_is_told(self):
        later = email.utils.formatdate(time.time() + 3, usegmt=True)
        told = Told(claims=lambda number: (503, "later", [("Retry-After", later)]) if number == 1 else None)
        told.work(lambda _: "out")
        self.assertGreater(told.times[1] - told.times[0], 1.5)
        for text in ("", "soon", "\u00b2", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"):
            self.assertGreaterEqual(softdd_task._retry_after(text), 0)

    def test_asks_for_its_token_before_each_request(self):
        tokens = iter("token-%d" % number for number in range(1000))
        told = Told()
        with told.working(lambda _: "out", token=lambda: next(tokens)):
            until("claims", lambda: len(told.claims) > 2)
        self.assertEqual(len(set(told.tokens)), len(told.tokens))
        self.assertEqual(told.tokens[0], "Bearer token-0")

    def test_tries_on_while_its_token_can_not_be_had(self):
        told, tries = Told(), []

        def token():
            tries.append(1)
            if len(tries) < 3:
                raise OSError("no token yet")
            return "token"

        with told.working(lambda _: "out", token=token):
            until("the end", told.ends)


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

    def test_may_have_processes_of_their_own(self):
        with Running(pools, processes=True) as running:
            task = ended(create(running.service), 30)
        self.assertEqual((task["output"], task["error"]), ("[1, 2, 1, 2]", None))

    def test_end_with_those_of_their_own(self):
        with Running(start_nap, processes=True, shutdown_timeout=0.1) as running:
            for args, error in (("die", "the process of the handler died, exit code 7"), ("", None)):
                task = create(running.service, args=args, maxAttempts=1)
                pids = [int(pid) for pid in until("it runs", lambda: get(task)["temp"]).split()]  # noqa: B023
                if error:
                    self.assertEqual(ended(task, 4)["error"], error)
                    until("both are gone", lambda: all(map(is_gone, pids)), 2)  # noqa: B023
        until("both are gone", lambda: all(map(is_gone, pids)), 2)

    def test_say_before_the_first_claim_that_they_do_not_find_the_handler(self):
        def local(_):
            pass

        service = "py-" + uuid.uuid4().hex[:8]
        task = create(service)
        for handler in (lambda _: None, local, partial(shout)):
            with self.assertRaisesRegex(
                ImportError, "the handler: .*Error: .* With processes=True the handler must be"
            ):
                Worker(URL, TOKEN, service=service, processes=True)(handler).run()
        self.assertEqual((get(task)["status"], get(task)["attempt"]), (10, 0))

    def test_that_can_not_begin_later_give_their_tasks_back(self):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(sys, "path", [folder, *sys.path]):
            path, name = os.path.join(folder, "late_handler.py"), "late_handler"

            def write(text):
                with open(path, "w") as file:
                    file.write("import os\n\ndef work(context):\n    return os.getpid()\n" + text)

            write("")
            handler = importlib.import_module(name).work
            with Running(handler, processes=True) as running:
                pid = int(ended(create(running.service))["output"])
                for text in ("raise KeyError('gone')\n", "os._exit(3)\n"):
                    write(text)
                    os.kill(pid, signal.SIGKILL)
                    with self.assertLogs("softdd_task", logging.ERROR) as logs:
                        task = create(running.service)
                        until("it is given back", lambda: logs.output)  # noqa: B023
                        until("it is ready", lambda: get(task)["status"] == 10)  # noqa: B023
                        time.sleep(1)
                    self.assertRegex(logs.output[0], "is given back: .*(KeyError: 'gone'|exit code 3)$")
                    self.assertEqual((len(logs.output), get(task)["attempt"], get(task)["error"]), (1, 0, None))
                    write("")
                    pid = int(ended(task)["output"])
            del sys.modules[name]

    def test_an_output_that_is_no_json_is_a_failure_for_good(self):
        with Running(circle, processes=True) as running:
            task = ended(create(running.service))
        self.assertRegex(task["error"], "^the output is no JSON: TypeError")
        self.assertEqual((task["status"], task["attempt"]), (-10, 1))

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
    first = int(context.checkpoint or 0)
    for step in range(first + 1, 1001):
        context.progress(first % 100, str(step))
        if context.sleep(0.05):
            context.check()
    return "done"

if __name__ == "__main__":
    work.run()
"""


NAPS = """
import os, sys, threading, time
from softdd_task import Worker
from test_softdd_task import start_nap

worker = Worker(os.environ["SOFTDD_TASK_URL"], os.environ["SOFTDD_TASK_WORKER_TOKEN"], service=sys.argv[1],
                lease=3, processes=True)(start_nap)
if sys.argv[2] == "unguarded":
    worker.run()
if __name__ == "__main__":
    if sys.argv[2] == "main":
        worker.run()
    threading.Thread(target=worker.run, daemon=True).start()
    sys.stdin.readline()
    raise SystemExit("the main thread ends")
"""

C_HANDLER = """
import faulthandler, importlib, os, signal, sys
faulthandler.register(signal.SIGTERM)
del sys.modules["_signal"]
signal._signal = importlib.import_module("_signal")
if signal.getsignal(signal.SIGTERM) is not None:
    sys.exit(5)
import threading
from softdd_task import Worker
worker = Worker("http://127.0.0.1:9", "token")(lambda _: None)
threading.Timer(0.5, worker.close).start()
worker.run()
print(signal.getsignal(signal.SIGTERM) == signal.SIG_DFL)
"""


class ProgramTest(unittest.TestCase):
    def start(self, service, mode, text=SCRIPT):
        file = os.path.join(os.environ.get("TMPDIR", "/tmp"), "softdd-task-%s.py" % service)
        with open(file, "w") as script:
            script.write(text)
        self.addCleanup(lambda: os.path.exists(file) and os.remove(file))
        environment = {**os.environ, "PYTHONPATH": FOLDER}
        program = [sys.executable, file, service, mode]
        pipe = subprocess.PIPE
        return subprocess.Popen(program, env=environment, stdin=pipe, stderr=pipe, start_new_session=True)

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
        # Its progress says with which step it began.
        seen = until("the second goes on", lambda: (lambda t: t if t["temp"] != str(checkpoint) else None)(get(task)))
        self.assertEqual((seen["attempt"], seen["progress"]), (2, checkpoint % 100))
        self.assertGreater(int(seen["temp"]), checkpoint)
        user("PUT", "/api/tasks/" + task, {"status": -20})
        second.terminate()
        second.communicate(timeout=10)

    def naps(self, mode, end):
        """Ends a worker in the midst of a handler; answers its code and errors, once the processes are gone."""
        service = "py-" + uuid.uuid4().hex[:8]
        task = create(service)
        program = self.start(service, mode, NAPS)
        pids = [int(pid) for pid in until("it runs", lambda: get(task)["temp"]).split()]
        end(program)
        _, errors = program.communicate(timeout=5)
        until("both are gone", lambda: all(map(is_gone, pids)), 2)
        return program.returncode, errors.decode()

    def test_killed_its_processes_end_with_their_own(self):
        self.assertEqual(self.naps("main", lambda program: program.kill()), (-signal.SIGKILL, ""))

    def test_ends_with_its_main_thread_though_processes_run(self):
        self.assertEqual(self.naps("thread", lambda _: None), (1, "the main thread ends\n"))

    def test_unguarded_says_how_to_guard_it(self):
        program = self.start("py-" + uuid.uuid4().hex[:8], "unguarded", NAPS)
        _, errors = program.communicate(timeout=20)
        self.assertEqual(program.returncode, 1)
        self.assertRegex(errors.decode(), 'ImportError: .*exit code 1. .*under `if __name__ == "__main__":`\n$')

    def test_may_follow_a_signal_handler_of_c(self):
        environment = {**os.environ, "PYTHONPATH": FOLDER}
        done = subprocess.run([sys.executable, "-c", C_HANDLER], env=environment, capture_output=True, timeout=20)
        if done.returncode == 5:
            self.skipTest("this Python reads the handlers once")
        self.assertEqual((done.stderr, done.stdout), (b"", b"True\n"))


if __name__ == "__main__":
    unittest.main()
