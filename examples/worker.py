#!/usr/bin/env python3
"""A worker in plain Python 3.8 or later, with nothing to install.

    python3 examples/worker.py --token TOKEN [--url http://127.0.0.1:3000] [--service NAME] [--multipart] [--once]

It claims a task, reports progress while it works, and reports the result or the failure. What it does for work is the
function `work`: replace that one. SIGTERM and SIGINT stop it after the task in hand.
"""

import argparse
import http.client
import json
import os
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

# Statuses of a task, as far as a worker reports them.
STARTED, FINISHED, FAILED = 20, 30, -10

# Seconds between two questions when there is nothing to do, or nobody answers: the first pause, and the longest.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0

stopping = threading.Event()


def work(task, report):
    """Writes the input in capitals, in as many steps as `args` says: {"steps": 3}. Returns the output."""
    steps = int(json.loads(task["args"] or "{}").get("steps", 2))
    for step in range(1, steps + 1):
        report(progress=100 * step // (steps + 1), temp="step %d of %d" % (step, steps))
        # The work itself would be here.
    return task["input"].upper()


class Queue:
    """The two routes that a worker needs."""

    def __init__(self, url, token, multipart):
        self.url = url.rstrip("/") + "/api/crontask"
        self.token = token
        self.multipart = multipart

    def claim(self, service):
        """A task that is now ours alone, or None where there is nothing to do (the answer is an empty list)."""
        query = "?" + urllib.parse.urlencode({"service": service}) if service else ""
        data = self._call("GET", self.url + query)
        return data["task"] if data else None

    def report(self, task, **fields):
        """Says how far the task is. A report that didn't arrive is sent again: to the server it is the same."""
        url = self.url + "/" + task["taskId"]
        for pause in pauses():
            try:
                if self.multipart:
                    # The original's clients can't send multipart with PUT: they POST, and say what they mean.
                    return self._call("POST", url, *as_multipart({"_method": "PUT", **fields}))
                return self._call("PUT", url, json.dumps(fields).encode(), "application/json")
            except Unavailable as error:
                if stopping.is_set():
                    raise
                log("report not taken, trying again: %s" % error)
                stopping.wait(max(pause, error.retry_after))

    def _call(self, method, url, body=None, content_type=None):
        headers = {"Authorization": "Bearer " + self.token}
        if content_type:
            headers["Content-Type"] = content_type
        request = urllib.request.Request(url, data=body, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 429 or error.code >= 500:
                    raise Unavailable("HTTP %d" % error.code, error.headers.get("Retry-After"))
                raise Refused("HTTP %d: %s" % (error.code, error.read().decode(errors="replace")))
        except (OSError, ValueError, http.client.HTTPException) as error:  # No connection, or one that broke in the middle of the answer.
            raise Unavailable(str(error))


class Unavailable(Exception):
    """The server can't answer now: ask again later."""

    def __init__(self, message, retry_after=None):
        super().__init__(message)
        self.retry_after = float(retry_after) if (retry_after or "").isdigit() else 0.0


class Refused(Exception):
    """The server answered no: asking again is no use."""


def as_multipart(fields):
    """A multipart/form-data body and its content type."""
    boundary = uuid.uuid4().hex
    lines = []
    for name, value in fields.items():
        lines += ["--" + boundary, 'Content-Disposition: form-data; name="%s"' % name, "", str(value)]
    lines += ["--" + boundary + "--", ""]
    return "\r\n".join(lines).encode(), "multipart/form-data; boundary=" + boundary


def pauses():
    """Seconds to wait: each about twice the one before, none over LONGEST_PAUSE, and no two workers in step."""
    pause = FIRST_PAUSE
    while True:
        yield pause * random.uniform(0.8, 1.2)
        pause = min(2 * pause, LONGEST_PAUSE)


def handle(queue, task):
    log("claimed %s" % task["taskId"])
    try:
        output = work(task, lambda **fields: queue.report(task, status=STARTED, **fields))
    except (Refused, Unavailable):
        raise
    except Exception as error:  # Whatever goes wrong in the work is the task's failure, not the worker's.
        queue.report(task, status=FAILED, output="%s: %s" % (type(error).__name__, error))
        log("failed %s: %s" % (task["taskId"], error))
    else:
        queue.report(task, status=FINISHED, output=output)
        log("finished %s" % task["taskId"])


def run(queue, service, once):
    waiting = pauses()
    while not stopping.is_set():
        at_least = 0.0
        try:
            task = queue.claim(service)
        except Unavailable as error:
            log("no answer, trying again: %s" % error)
            task, at_least = None, error.retry_after
        if task is None:
            stopping.wait(max(next(waiting), at_least))
            continue
        waiting = pauses()
        try:
            handle(queue, task)
        except (Refused, Unavailable) as error:  # The task was deleted, say, or the server is gone and so are we.
            log("not reported, %s: %s" % (task["taskId"], error))
        if once:
            return


def log(message):
    print(time.strftime("%H:%M:%S"), message, flush=True)


def main():
    parser = argparse.ArgumentParser(description="Works the tasks of a @softdd/task server.")
    parser.add_argument("--url", default="http://127.0.0.1:3000", help="the server (default: %(default)s)")
    parser.add_argument("--token", default=os.environ.get("WORKER_TOKEN"), help="worker token (default: $WORKER_TOKEN)")
    parser.add_argument("--service", help="work the tasks of this service only")
    parser.add_argument("--multipart", action="store_true", help="report in multipart/form-data rather than in JSON")
    parser.add_argument("--once", action="store_true", help="stop after one task")
    options = parser.parse_args()
    if not options.token:
        parser.error("give --token, or WORKER_TOKEN in the environment")

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopping.set())
    try:
        run(Queue(options.url, options.token, options.multipart), options.service, options.once)
    except Refused as error:
        sys.exit("the server refuses this worker: %s" % error)
    log("stopped")


if __name__ == "__main__":
    main()
