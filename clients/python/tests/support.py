"""What the tests share.

The tests use a real server. SOFTDD_TASK_URL names it, and its tokens are in SOFTDD_TASK_USER_TOKEN,
SOFTDD_TASK_WORKER_TOKEN and SOFTDD_TASK_OPERATOR_TOKEN.
"""

import contextlib
import http.server
import json
import os
import shutil
import threading
import time
import unittest
import urllib.request
import uuid

from softdd_task import Worker

URL = os.environ.get("SOFTDD_TASK_URL", "http://127.0.0.1:3000")
USER, TOKEN = os.environ.get("SOFTDD_TASK_USER_TOKEN", ""), os.environ.get("SOFTDD_TASK_WORKER_TOKEN", "")
OPERATOR = os.environ.get("SOFTDD_TASK_OPERATOR_TOKEN", "")
FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

#: Marks a test that takes seconds. It runs with SOFTDD_TASK_SLOW=1.
slow = unittest.skipUnless(os.environ.get("SOFTDD_TASK_SLOW"), "slow")



def needs(program):
    """Marks a test that needs a program. Without it the test is skipped, and in CI it fails."""
    if shutil.which(program):
        return lambda test: test
    if os.environ.get("CI") == "true":
        raise AssertionError("CI needs " + program)
    return unittest.skip("NOT TESTED: this machine has no " + program)


def user(method, path, body=None):
    headers = {"Authorization": "Bearer " + USER, "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers, method=method)) as response:
        return json.load(response)["data"]


@contextlib.contextmanager
def once(url):
    """The address of a proxy that lets one GET through, and is away afterwards: 503."""
    passed = threading.Lock()

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if not passed.acquire(blocking=False):
                return self.answer(503, b"{}")
            headers = {"Authorization": self.headers["Authorization"]}
            with urllib.request.urlopen(urllib.request.Request(url + self.path, headers=headers)) as response:
                self.answer(200, response.read())

        def answer(self, status, body):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "http://127.0.0.1:%d" % server.server_port
        server.shutdown()


def until(what, ask, seconds=60):
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


def ended(task, seconds=60):
    return until(
        "the end", lambda: (lambda seen: seen if seen["status"] in (30, -10, -20) else None)(get(task)), seconds
    )


class Running:
    """A worker in a thread, with a service of its own."""

    def __init__(self, handler, **options):
        self.service = "py-" + uuid.uuid4().hex[:8]
        self.worker = Worker(URL, TOKEN, service=self.service, wait=2, **options)(handler)
        self.thread = threading.Thread(target=self.worker.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.worker.close()
        self.thread.join(60)
        assert not self.thread.is_alive(), "the worker goes on"


def is_gone(pid):
    """Whether a process has ended. A zombie has."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


class Told:
    """A server whose answers the test decides, by the functions `claims(number)` and `reports(number, reports)`.

    A function returns status, body and headers; None for a good answer; DROP for none at all. The first good answer to
    a claim has `tasks` tasks.
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
        self.server.handle_error = lambda *_: None  # Workers close connections at any moment.
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def ends(self):
        return [report for report in self.reports if "status" in report]

    def work(self, handler, ends=1, seconds=10, **options):
        """Runs a worker until that many results are reported. Returns them."""
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
            thread.join(60)
            self.stop()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Drip(str):
    """An answer without an end, a byte at a time."""


def refusal(code, message, detail=None):
    return json.dumps({"status": 0, "data": {"code": code, "msg": message, **({"detail": detail} if detail else {})}})


EMPTY = (200, json.dumps({"status": 1, "data": {"list": []}}))
