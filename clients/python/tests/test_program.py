import os
import signal
import subprocess
import sys
import unittest
import uuid


from .support import FOLDER, create, get, is_gone, slow, until, user


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
from tests.handlers import start_nap

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
        _, errors = program.communicate(timeout=60)
        self.assertEqual((program.returncode, errors), (0, b""))
        seen = get(task)
        self.assertEqual((seen["status"], seen["attempt"]), (10, 0))
        self.assertGreater(int(seen["temp"]), 0)

    def test_stops_at_sigterm(self):
        self.stops("threads", signal.SIGTERM)

    @slow
    def test_stops_at_sigint(self):
        self.stops("threads", signal.SIGINT)

    def test_stops_at_sigterm_with_processes(self):
        self.stops("processes", signal.SIGTERM)

    def test_stops_at_a_sigterm_to_the_whole_group(self):
        self.stops("processes", signal.SIGTERM, os.killpg)

    @slow
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
        second.communicate(timeout=60)

    def naps(self, mode, end):
        """Ends a worker in the midst of a handler; answers its code and errors, once the processes are gone."""
        service = "py-" + uuid.uuid4().hex[:8]
        task = create(service)
        program = self.start(service, mode, NAPS)
        pids = [int(pid) for pid in until("it runs", lambda: get(task)["temp"]).split()]
        end(program)
        _, errors = program.communicate(timeout=40)
        until("both are gone", lambda: all(map(is_gone, pids)))
        return program.returncode, errors.decode()

    def test_killed_its_processes_end_with_their_own(self):
        self.assertEqual(self.naps("main", lambda program: program.kill()), (-signal.SIGKILL, ""))

    @slow
    def test_ends_with_its_main_thread_though_processes_run(self):
        self.assertEqual(self.naps("thread", lambda _: None), (1, "the main thread ends\n"))

    def test_unguarded_says_how_to_guard_it(self):
        program = self.start("py-" + uuid.uuid4().hex[:8], "unguarded", NAPS)
        _, errors = program.communicate(timeout=60)
        self.assertEqual(program.returncode, 1)
        self.assertRegex(errors.decode(), 'ImportError: .*exit code 1. .*under `if __name__ == "__main__":`\n$')

    def test_a_wrong_token_ends_it_in_one_line(self):
        text = SCRIPT.replace('os.environ["SOFTDD_TASK_WORKER_TOKEN"]', '"no-such-token-0123456789"')
        program = self.start("py-" + uuid.uuid4().hex[:8], "threads", text)
        _, errors = program.communicate(timeout=60)
        self.assertEqual(program.returncode, 1)
        self.assertRegex(errors.decode(), r"^softdd_task: the server refuses this worker: .*HTTP 430: invalid token\n$")

    def test_may_follow_a_signal_handler_of_c(self):
        environment = {**os.environ, "PYTHONPATH": FOLDER}
        done = subprocess.run([sys.executable, "-c", C_HANDLER], env=environment, capture_output=True, timeout=60)
        if done.returncode == 5:
            self.skipTest("this Python reads the handlers once")
        self.assertEqual((done.stderr, done.stdout), (b"", b"True\n"))
