import importlib
import json
import logging
import os
import signal
import sys
import tempfile
import time
import unittest
import uuid
from functools import partial
from unittest import mock

from softdd_task import Worker

from .handlers import circle, die, exit_in_text, fail, hold_the_gil, never, pools, shout, start_nap, whisper
from .support import TOKEN, URL, Running, create, ended, get, is_gone, slow, until, user


class ProcessesTest(unittest.TestCase):
    def test_run_handlers_each_in_its_own_that_stays(self):
        with Running(shout, processes=True) as running:
            tasks = [ended(create(running.service)) for _ in range(3)]
        outputs = [json.loads(task["output"]) for task in tasks]
        self.assertEqual({output["input"] for output in outputs}, {"IN"})
        self.assertEqual(len({output["pid"] for output in outputs}), 1)
        self.assertNotEqual(outputs[0]["pid"], os.getpid())
        self.assertEqual(tasks[0]["temp"], "half")

    @slow
    def test_hold_the_lease_while_a_handler_holds_the_gil(self):
        # Longer than a lease and the sweeper's two seconds.
        with Running(hold_the_gil, processes=True, lease=3) as running:
            task = ended(create(running.service, args="6"), 60)
        self.assertEqual((task["status"], task["attempt"], task["output"]), (30, 1, "held"))

    def test_may_be_coroutines(self):
        with Running(whisper, processes=True) as running:
            output = json.loads(ended(create(running.service, input="IN"))["output"])
        self.assertEqual(output["input"], "in")
        self.assertNotEqual(output["pid"], os.getpid())

    def test_say_where_it_was_raised_and_hold_no_task_for_a_text_that_exits(self):
        for handler, error in ((fail, "KeyError: 'frame 7'"), (exit_in_text, "Exits")):
            with self.assertLogs("softdd_task", logging.WARNING) as logs:
                with Running(handler, processes=True) as running:
                    task = ended(create(running.service, maxAttempts=1))
            self.assertRegex(task["error"], "^%s\nTraceback[^$]*, in %s\n" % (error, handler.__name__))
            self.assertIn(task["error"], "".join(logs.output))

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
            until("it is gone", lambda: not running.worker._runner.processes.children[0].alive)
            task = ended(create(running.service))
        self.assertEqual((task["status"], task["attempt"]), (30, 1))

    def test_may_have_processes_of_their_own(self):
        with Running(pools, processes=True) as running:
            task = ended(create(running.service))
        self.assertEqual((task["output"], task["error"]), ("[1, 2, 1, 2]", None))

    def test_end_with_those_of_their_own(self):
        with Running(start_nap, processes=True, shutdown_timeout=0.1) as running:
            for args, error in (("die", "the process of the handler died, exit code 7"), ("", None)):
                task = create(running.service, args=args, maxAttempts=1)
                pids = [int(pid) for pid in until("it runs", lambda: get(task)["temp"]).split()]  # noqa: B023
                if error:
                    self.assertEqual(ended(task)["error"], error)
                    until("both are gone", lambda: all(map(is_gone, pids)))  # noqa: B023
        until("both are gone", lambda: all(map(is_gone, pids)))

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

    @slow
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
