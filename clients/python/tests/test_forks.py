import json
import os
import signal
import subprocess
import sys
import unittest
import uuid

from softdd_task import Worker

from .support import FOLDER, TOKEN, URL, create, ended

PREFORKED = """
import os, sys, time
from softdd_task import Worker

@Worker(os.environ["SOFTDD_TASK_URL"], os.environ["SOFTDD_TASK_WORKER_TOKEN"], service=sys.argv[1], wait=2)
def work(context):
    line = "run %s %d %s\\n" % (context.task["input"], os.getpid(), work.worker_id)
    os.write(1, line.encode())  # At once: four processes write there.
    time.sleep(0.05)
    return "out"

if __name__ == "__main__":
    work.worker_id  # Asked before the fork, too.
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            work.run()
            os._exit(0)
        children.append(child)
    sys.stdin.readline()
    for child in children:
        os.kill(child, 15)
    sys.exit(max(os.waitpid(child, 0)[1] for child in children))
"""

# What a handler may do with processes, in a worker that has handlers of signals of its own.
HANDLERS = """
import multiprocessing, os, sys, time, warnings
from softdd_task import Worker

warnings.simplefilter("ignore")
fork = multiprocessing.get_context("fork")

def speak(context, queue):
    try:
        context.progress(50)
    except RuntimeError as error:
        queue.put(str(error))

@Worker(os.environ["SOFTDD_TASK_URL"], os.environ["SOFTDD_TASK_WORKER_TOKEN"], service=sys.argv[1], wait=2)
def work(context):
    kind = context.task["input"]
    if kind == "pool":
        with fork.Pool(2) as pool:
            return pool.map(abs, [-1, -2])
    if kind == "terminate":
        process = fork.Process(target=time.sleep, args=(60,))
        process.start()
        time.sleep(0.2)
        process.terminate()
        process.join(60)
        return process.exitcode
    if kind == "exit":  # Its end is its own: neither the task's, nor the parent's connections'.
        child = os.fork()
        if child == 0:
            sys.exit(7)
        return os.waitpid(child, 0)[1] >> 8
    if kind == "return":
        child = os.fork()
        return "the child's" if child == 0 else os.waitpid(child, 0)[1]
    if kind == "progress":
        queue = fork.SimpleQueue()
        process = fork.Process(target=speak, args=(context, queue))
        process.start()
        process.join(60)
        return queue.get()

if __name__ == "__main__":
    work.run()
"""


@unittest.skipUnless(hasattr(os, "fork"), "no fork")
class ForksTest(unittest.TestCase):
    def start(self, text):
        service = "py-" + uuid.uuid4().hex[:8]
        pipe = subprocess.PIPE
        program = subprocess.Popen(
            [sys.executable, "-c", text, service],
            env={**os.environ, "PYTHONPATH": FOLDER},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )
        self.addCleanup(self.end, program)
        return service, program

    def end(self, program):
        try:
            os.killpg(program.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        program.wait()
        for pipe in (program.stdin, program.stdout, program.stderr):
            pipe.close()

    def test_of_one_worker_run_each_task_once(self):
        service, program = self.start(PREFORKED)
        tasks = [create(service, input=str(number)) for number in range(12)]
        for task in tasks:
            self.assertEqual(ended(task)["attempt"], 1)
        output, errors = program.communicate("\n", timeout=60)
        self.assertEqual((program.returncode, errors), (0, ""))
        runs = [line.split() for line in output.splitlines() if line.startswith("run")]
        self.assertEqual(sorted(int(number) for _, number, _, _ in runs), list(range(12)))
        # Who ran it says so: an identity for each process.
        self.assertEqual({worker.split(":")[1] for _, _, _, worker in runs}, {process for _, _, process, _ in runs})

    def test_in_handlers_end_when_they_are_told_and_leave_the_worker_alone(self):
        service, program = self.start(HANDLERS)
        expected = {"pool": [1, 2], "terminate": -15, "exit": 7, "return": 0}
        for kind, output in expected.items():
            with self.subTest(kind):
                task = ended(create(service, input=kind, maxAttempts=1))
                self.assertEqual((task["error"], json.loads(task["output"] or "null")), (None, output))
        self.assertIn("only in the handler's process", ended(create(service, input="progress"))["output"])
        program.send_signal(signal.SIGTERM)
        _, errors = program.communicate(timeout=60)
        self.assertEqual((program.returncode, errors), (0, ""))

    def test_of_a_worker_that_runs_do_not_close_it(self):
        worker = Worker(URL, TOKEN, service="py-" + uuid.uuid4().hex[:8])(lambda _: None)
        child = os.fork()
        if child == 0:
            os._exit(0 if worker.worker_id.split(":")[1] == str(os.getpid()) else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


