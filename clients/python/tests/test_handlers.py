import asyncio
import functools
import logging
import pickle
import threading
import unittest

from softdd_task import RetryLater, Stopped, UnrecoverableError, Worker

from .handlers import Exits, exit_in_text
from .support import Running, Told, create, ended, get, until, user


class AsyncTest(unittest.TestCase):
    def test_run_in_one_loop_beside_each_other(self):
        seen, together = [], []

        async def handler(context):
            seen.append((asyncio.get_running_loop(), threading.get_ident()))
            if not together:  # Its lock would be another loop's, otherwise.
                together.append((asyncio.Event(), asyncio.Event()))
            mine, others = together[0] if context.task["input"] == "a" else together[0][::-1]
            mine.set()
            await asyncio.wait_for(others.wait(), 10)
            return {"input": context.task["input"]}

        with Running(handler, concurrency=2) as running:
            tasks = [create(running.service, input=text) for text in "ab"]
            outputs = [ended(task)["output"] for task in tasks]
        self.assertEqual(outputs, ['{"input": "a"}', '{"input": "b"}'])
        self.assertEqual(len(set(seen)), 1)

    def test_are_cancelled_once_they_have_to_stop(self):
        told = []

        async def handler(context):
            context.progress(1, "runs")
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                told.append(context.reason)
                raise

        with Running(handler, shutdown_timeout=0.1, progress_interval=0.1, heartbeat=0.3, lease=3) as running:
            task = create(running.service)
            until("it runs", lambda: get(task)["temp"])
            user("PUT", "/api/tasks/" + task, {"status": -20})
            until("it hears", lambda: told)
            other = create(running.service)
            until("the other runs", lambda: get(other)["temp"])
        self.assertEqual(told, ["cancelled", "shutdown"])
        self.assertEqual((get(other)["status"], get(other)["attempt"]), (10, 0))

    def test_fail_as_others_do(self):
        async def work(context):
            await asyncio.sleep(0)
            kind = context.task["taskId"]
            if kind == "t0":
                raise KeyError("frame 7")
            if kind == "t1":
                raise SystemExit(3)
            if kind == "t2":
                raise UnrecoverableError("no codec")
            if kind == "t3":
                asyncio.get_running_loop().call_soon(lambda: exec("raise SystemExit('a callback')"))
                await asyncio.sleep(0.05)
            return "out"

        with self.assertLogs("softdd_task", logging.WARNING):
            ends = Told(tasks=5).work(functools.partial(work), 5, concurrency=5)
        ends = {end["taskId"]: end for end in ends}
        self.assertRegex(ends["t0"]["error"], r"^KeyError: 'frame 7'\nTraceback[^$]*, in work\n")
        self.assertRegex(ends["t1"]["error"], "^SystemExit: 3\n")
        self.assertEqual((ends["t2"]["error"], ends["t2"].get("retry")), ("no codec", None))
        self.assertEqual([ends["t3"]["output"], ends["t4"]["output"]], ["out", "out"])

    def test_may_hide_behind_a_function(self):
        async def work(_):
            return "out"

        (end,) = Told().work(lambda context: work(context))
        self.assertEqual(end["output"], "out")


class HandlerTest(unittest.TestCase):
    def test_is_refused_where_it_would_never_run(self):
        def generator(_):
            yield 1

        async def stream(_):
            yield 1

        class Callable:
            def __call__(self, _):
                yield 1

        for handler in (generator, stream, functools.partial(generator), Callable()):
            with self.assertRaisesRegex(TypeError, "is a generator function"):
                Worker("http://localhost", "token")(handler)
        for handler in (None, "work", 7):
            with self.assertRaisesRegex(TypeError, "must be a function"):
                Worker("http://localhost", "token")(handler)

    def test_that_returns_what_is_no_json_fails_for_good(self):
        for output in (iter("ab"), (each for each in "ab"), object(), len, {1: [set()]}):
            (end,) = Told().work(lambda _: output)  # noqa: B023
            self.assertRegex(end["error"], "^the output is no JSON: TypeError: ")
            self.assertNotIn("retry", end)

    def test_that_raises_says_where(self):
        def deep(level):
            if level:
                return deep(level - 1)
            raise ValueError("m" * 9000) from KeyError("why")

        with self.assertLogs("softdd_task", logging.WARNING) as logs:
            (end,) = Told().work(lambda _: deep(300))
        message, trace = end["error"].split("\n", 1)
        self.assertEqual(len(message), 4000)
        self.assertLessEqual(len(trace.encode()), 4096)
        self.assertRegex(trace, r"KeyError: 'why'|repeated")
        self.assertIn("in deep", logs.output[0])
        (end,) = Told().work(lambda _: deep(0))
        self.assertIn("tests/test_handlers.py", end["error"])
        self.assertNotIn("softdd_task/", end["error"])
        (end,) = Told().work(lambda _: deep(3), traceback=False)
        self.assertEqual(end["error"], "ValueError: " + "m" * 3988)

    def test_that_means_what_it_raises_has_its_own_words_alone(self):
        for error, more in ((UnrecoverableError("no codec"), {}), (RetryLater(7, "no codec"), {"delay": 7})):
            def handler(_):
                raise error  # noqa: B023

            with self.assertLogs("softdd_task", logging.WARNING) as logs:
                (end,) = Told().work(handler)
            self.assertEqual((end["error"], end.get("delay")), ("no codec", more.get("delay")))
            self.assertEqual("in handler" in logs.output[0], not more)

    def test_whose_exception_ends_the_program_as_it_is_read_holds_no_task(self):
        class Bad(UnrecoverableError, Exits):
            pass

        class Again(Exception):
            def __str__(self):
                raise self

        def final(_):
            raise Bad()

        def again(_):
            raise Again()

        def interrupt(_):
            raise KeyboardInterrupt()

        cases = ((exit_in_text, "Exits"), (final, "UnrecoverableError"), (again, "Again"), (interrupt, "KeyboardInterrupt"))
        for handler, error in cases:
            with self.subTest(error):
                (end,) = Told().work(handler)
                self.assertEqual((end["status"], end["error"].split("\n")[0]), (-10, error))

    def test_whose_log_fails_holds_no_task(self):
        class Broken(logging.Handler):
            def emit(self, _):
                raise SystemExit("the log is full")

        def handler(_):
            raise KeyError("frame 7")

        broken = Broken(logging.WARNING)
        logging.getLogger("softdd_task").addHandler(broken)
        self.addCleanup(logging.getLogger("softdd_task").removeHandler, broken)
        told = Told()
        with told.working(handler):
            until("the end and another claim", lambda: told.ends() and told.claims[-1]["limit"] == 1)
        self.assertRegex(told.ends()[0]["error"], "^KeyError")

    def test_exceptions_may_travel(self):
        later = pickle.loads(pickle.dumps(RetryLater(7, "busy")))
        self.assertEqual((later.seconds, str(later)), (7, "busy"))
        stopped = pickle.loads(pickle.dumps(Stopped("lost")))
        self.assertEqual((stopped.reason, str(stopped)), ("lost", "the task must stop: lost"))

    def test_a_worker_runs_once_at_a_time(self):
        told = Told(tasks=0)
        with told.working(lambda _: None) as worker:
            until("it runs", lambda: told.claims)
            with self.assertRaisesRegex(RuntimeError, "runs already"):
                worker.run()


