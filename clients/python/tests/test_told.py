import _thread
import contextlib
import email.utils
import json
import logging
import os
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

from softdd_task import TaskError, Worker
from softdd_task import runner
from softdd_task import transport

from .support import EMPTY, Drip, Told, needs, refusal, slow, until


class WithoutText(Exception):
    def __str__(self):
        raise ValueError("no text")


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
        self.assertEqual(end["error"].split("\n")[0], "TypeError: the checkpoint must be a str, not bytes")
        self.assertTrue(end["retry"])

    def test_sends_on_what_an_answer_had_no_room_for(self):
        taken = set()

        def one(_, said):
            taken.update(report["taskId"] for report in said[:1] if "status" in report)
            answers = [{"status": 1, "data": {}}, *(json.loads(refusal(14009, "full")) for _ in said[1:])]
            return 200, json.dumps({"status": 1, "data": {"list": answers}})

        together = threading.Barrier(3)
        with self.assertNoLogs_("can't be reached"):
            with Told(one, tasks=3).working(lambda _: together.wait(60) and "out", concurrency=3):
                until("all are taken", lambda: len(taken) == 3)

    def test_an_exception_without_a_text_is_a_failure(self):
        def handler(_):
            raise WithoutText()

        (end,) = Told().work(handler)
        self.assertEqual((end["status"], end["error"].split("\n")[0], end["retry"]), (-10, "WithoutText", True))

    @slow
    def test_waits_no_longer_than_its_lease_allows_before_it_says_it_again(self):
        reports = lambda number, _: (429, "later", [("Retry-After", "3600")]) if number == 1 else None  # noqa: E731
        ends = Told(reports).work(lambda _: "out", 2, 5, lease=6)
        self.assertEqual([end["status"] for end in ends], [30, 30])

    @slow
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

    @slow
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
        self.assertEqual({end["output"] for end in told.ends()}, {"out"})
        self.assertEqual(len([line for line in logs.output if "refuses this worker" in line]), 1)

    @slow
    def test_ends_when_it_is_refused_for_good(self):
        before, runner.REFUSED_FOR = runner.REFUSED_FOR, 1.0
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
            runner.REFUSED_FOR = before

    def test_ends_at_once_where_a_rule_is_broken(self):
        told = Told(claims=lambda number: (400, refusal(14004, "invalid parameter")) if number > 1 else None)
        with self.assertRaises(TaskError):
            Worker(told.url, "token", wait=1)(lambda _: "out").run()
        self.assertEqual(len(told.claims), 2)
        told.stop()

    @slow
    def test_stops_a_handler_whose_lease_ran_out_while_the_line_was_cut(self):
        began, seen, mended = time.monotonic(), [], threading.Event()

        def handler(context):
            if context.task["taskId"] == "t0":
                return "out"
            stopped = context.sleep(60)
            seen.append((stopped, context.reason, time.monotonic() - began))

        away = lambda *_: None if mended.is_set() else (504, "silence")  # noqa: E731
        told = Told(away, tasks=2)
        with self.assertLogs("softdd_task", logging.WARNING) as logs, told.working(handler, concurrency=2, lease=3):
            until("it stops", lambda: seen)
            until("its place is free", lambda: told.claims[-1]["limit"] == 1)
            mended.set()
            # What was done before is said all the same.
            until("the end of the other", lambda: told.claims[-1]["limit"] == 2)
        self.assertEqual(seen[0][:2], (True, "lost"))
        self.assertTrue(5 < seen[0][2] < 40, seen)
        self.assertEqual({(end["taskId"], end["output"]) for end in told.ends()}, {("t0", "out")})
        self.assertEqual(len([line for line in logs.output if "t1 lost: lost" in line]), 1)

    @slow
    def test_a_handler_goes_on_while_the_queue_is_away(self):
        began, seen = time.monotonic(), []

        def handler(context):
            seen.append((context.sleep(8), context.reason))
            return "out"

        away = lambda *_: (503, "away") if time.monotonic() - began < 9 else None  # noqa: E731
        told = Told(away)
        with told.working(handler, lease=3):
            until("the end", told.ends)
        self.assertEqual(seen, [(False, None)])
        self.assertEqual({end["output"] for end in told.ends()}, {"out"})

    def test_an_output_that_is_no_json_is_a_failure_for_good(self):
        circle = []
        circle.append(circle)
        for output in (b"bytes", {"a": circle}, float("nan"), [float("inf")]):
            with self.subTest(repr(output)):
                (end,) = Told().work(lambda _: output)  # noqa: B023
                self.assertRegex(end["error"], "^the output is no JSON: ")
                self.assertEqual((end["status"], "retry" in end), (-10, False))

    @slow
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

    @slow
    def test_keeps_a_connection_while_it_is_used(self):
        told = Told()

        def handler(context):
            for step in range(40):
                context.progress(step, str(step))
                time.sleep(0.05)

        told.work(handler, progress_interval=0.05, concurrency=2)
        self.assertGreater(len(told.sizes), 5)
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
        self.assertGreater(len(told.sizes), 3)
        self.assertEqual([report["temp"] for report in told.reports if "temp" in report][-1], "19")

    @needs("openssl")
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
        thread.join(60)
        told.stop()
        self.assertFalse(thread.is_alive())

    @slow
    def test_waits_no_longer_for_an_answer_that_drips(self):
        told = Told(lambda number, _: (200, Drip()) if number == 1 else None)
        began = time.monotonic()
        told.work(lambda _: "out", 2, lease=3)
        # Half of the lease, and a little.
        self.assertTrue(1.4 < time.monotonic() - began < 30)

    def test_reads_no_answer_without_end(self):
        before, transport.LONGEST_ANSWER = transport.LONGEST_ANSWER, 100_000
        try:
            told = Told(lambda number, _: (200, " " * 200_000) if number == 1 else None)
            with self.assertLogs("softdd_task", logging.WARNING) as logs:
                told.work(lambda _: "out", 2)
        finally:
            transport.LONGEST_ANSWER = before
        self.assertRegex("".join(logs.output), "the answer is longer than 100000 bytes")

    def test_says_many_ends_in_one_request(self):
        barrier = threading.Barrier(20)
        told = Told(tasks=20)
        ends = told.work(lambda _: str(barrier.wait()), 20, concurrency=20)
        self.assertEqual(len({end["taskId"] for end in ends}), 20)
        self.assertLess(len(told.sizes), 6)

    def sizes(self, reports, tasks=8):
        """Of the requests that say the ends of so many tasks, which all come at once."""
        barrier = threading.Barrier(tasks)
        begun = threading.Event()

        def answers(number, said):
            if number == 1:  # They end while the first words are not answered yet.
                return begun.wait(60) and time.sleep(0.3)
            return reports(number - 1, said)

        def handler(context):
            if context.task["taskId"] == "t0":
                context.progress(1)
                until("the first words", lambda: told.sizes)
            barrier.wait()
            begun.set()

        told = Told(answers, tasks=tasks)
        with told.working(handler, concurrency=tasks):
            until("the last end", lambda: told.sizes[1:] and told.claims[-1]["limit"] == tasks)
        return told.sizes[1:]

    def test_asks_a_queue_that_fails_no_more_often_for_that(self):
        for trouble in ((500, refusal(14012, "internal error")), (404, "no route"), (430, refusal(10001, "no"))):
            with self.subTest(trouble):
                sizes = self.sizes(lambda number, _: trouble if number == 1 else None)  # noqa: B023
                self.assertEqual(sizes, [8, 4, 4] if trouble[0] == 500 else [8, 8])

    def test_finds_by_halves_the_one_that_is_refused(self):
        def reports(_, said):
            bad = any(report["taskId"] == "t3" and "error" not in report for report in said)
            return (400, refusal(14004, "one is bad")) if bad else None

        sizes = self.sizes(reports)
        self.assertEqual(sizes[0], 8)
        self.assertLess(len(sizes), 10)

    def test_a_refusal_names_the_field_and_the_rule(self):
        detail = [{"field": "output", "rule": "maxBytes", "msg": "output must be shorter"}]
        said = json.dumps({"status": 1, "data": {"list": [json.loads(refusal(14008, "too large", detail))]}})
        for answer in ((413, refusal(14008, "too large", detail)), (200, said)):
            ends = Told(lambda number, _: answer if number == 1 else None).work(lambda _: "out", 2)  # noqa: B023
            self.assertRegex(ends[1]["error"], r"refused: .*too large \(output must be shorter \[output: maxBytes\]\)$")
        told = Told(claims=lambda _: (400, refusal(14004, "invalid parameter", detail)))
        with self.assertRaisesRegex(TaskError, r"HTTP 400: invalid parameter \(.* \[output: maxBytes\]\)$"):
            Worker(told.url, "token")(lambda _: None).run()
        told.stop()

    def test_a_claim_whose_answer_was_lost_is_asked_for_again_and_renewed_at_once(self):
        told = Told(claims=lambda number: Told.DROP if number == 1 else None)
        with told.working(lambda context: context.sleep(3), concurrency=2):
            until("the renewal", lambda: told.reports)
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
            until("the renewal", lambda: told.reports)
        self.assertEqual(told.keys[1], told.keys[2])

    @slow
    def test_waits_until_the_date_that_it_is_told(self):
        later = email.utils.formatdate(time.time() + 3, usegmt=True)
        told = Told(claims=lambda number: (503, "later", [("Retry-After", later)]) if number == 1 else None)
        told.work(lambda _: "out")
        self.assertGreater(told.times[1] - told.times[0], 1.5)
        for text in ("", "soon", "\u00b2", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"):
            self.assertGreaterEqual(transport.retry_after(text), 0)

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
