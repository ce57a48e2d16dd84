import json
import os
import threading
import unittest
import uuid

from softdd_task import ERROR_CODE, STATUS, TaskApiError, TaskClient, WaitTimeoutError

from .support import URL, USER, Running, once, refusal


def service():
    return "py-" + uuid.uuid4().hex[:8]


class ClientTest(unittest.TestCase):
    def setUp(self):
        self.client = TaskClient(URL, USER)
        self.addCleanup(self.client.close)

    def test_creates_and_waits_for_the_end(self):
        with Running(lambda context: context.task["input"].upper()) as running:
            task = self.client.create({"input": "film", "service": running.service, "status": STATUS["BEGIN"]})
            seen = self.client.wait_for(task["taskId"], timeout=60)
        self.assertEqual((seen["status"], seen["output"]), (STATUS["FINISHED"], "FILM"))

    def test_looks_changes_cancels_and_removes(self):
        client, name = self.client, service()
        first, second = client.create_many([{"input": "1", "service": name}, {"input": "2", "service": name}])
        self.assertEqual(client.get(first["taskId"])["status"], STATUS["INIT"])
        self.assertEqual(client.update(first["taskId"], {"args": "x"})["args"], "x")
        self.assertEqual(client.mark_ready(first["taskId"])["status"], STATUS["BEGIN"])
        self.assertEqual(client.cancel(first["taskId"])["status"], STATUS["CANCELLED"])
        self.assertEqual(client.wait_for(first["taskId"])["status"], STATUS["CANCELLED"])
        page = client.list({"service": name, "pageNum": 1})
        self.assertEqual([task["taskId"] for task in page["list"]], [second["taskId"]])
        page = client.list({"service": name, "pageNum": 1, "cursor": page["nextCursor"]})
        self.assertEqual([task["taskId"] for task in page["list"]], [first["taskId"]])
        self.assertEqual(client.list({"ids": [second["taskId"]]})["list"][0]["input"], "2")
        removal = client.remove([first["taskId"], "no-such-task"])
        self.assertEqual((removal["deleted"], len(removal["notDeleted"])), ([first["taskId"]], 1))
        self.assertEqual(client.remove(second["taskId"])["deleted"], [second["taskId"]])

    def test_lists_a_thousand_ids(self):
        name = service()
        made = self.client.create_many([{"input": "x", "service": name} for _ in range(1000)])
        seen = self.client.list({"ids": [task["taskId"] for task in made]})["list"]
        self.assertEqual({task["taskId"] for task in seen}, {task["taskId"] for task in made})

    def test_lists_more_than_an_answer_holds(self):
        name, text = service(), "\x01" * 65535
        made = [self.client.create({"input": text, "args": text, "service": name})["taskId"] for _ in range(24)]
        made.reverse()
        page = self.client.list({"service": name, "pageNum": 100})
        seen = [task["taskId"] for task in page["list"]]
        while page["nextCursor"] is not None:
            page = self.client.list({"service": name, "pageNum": 100, "cursor": page["nextCursor"]})
            seen += [task["taskId"] for task in page["list"]]
        self.assertEqual(seen, made)
        self.assertEqual([task["taskId"] for task in self.client.list({"ids": made[::-1]})["list"]], made)
        with self.assertRaises(TaskApiError) as caught:
            self.client.list({"service": name, "pageNum": 100, "page": 1})
        self.assertEqual(caught.exception.code, ERROR_CODE["TOO_LARGE"])

    def test_says_what_is_wrong(self):
        with self.assertRaises(TaskApiError) as caught:
            self.client.get("no-such-task")
        self.assertEqual((caught.exception.code, caught.exception.http_status), (ERROR_CODE["NOT_FOUND"], 404))
        with self.assertRaisesRegex(TaskApiError, r"invalid parameter \(service .* \[service: maxLength\]\)"):
            self.client.create({"input": "x", "service": "s" * 65})
        task = self.client.create({"input": "x"})
        with self.assertRaises(WaitTimeoutError) as late:
            self.client.wait_for(task["taskId"], timeout=0.1)
        self.assertEqual(late.exception.detail["task"]["taskId"], task["taskId"])
        self.assertFalse(late.exception.retryable)

    def test_waiting_keeps_what_it_saw_while_the_queue_is_away(self):
        task_id = self.client.create({"input": "x"})["taskId"]
        batch_id = self.client.batch([{"input": "x"}]).created["batchId"]
        waits = {
            "task": lambda client: client.wait_for(task_id, timeout=3),
            "batch": lambda client: client.batches.wait(batch_id, timeout=3),
        }
        for kind, wait in waits.items():
            with self.subTest(kind), once(URL) as address:
                client = TaskClient(address, USER)
                self.addCleanup(client.close)
                with self.assertRaises(WaitTimeoutError) as late:
                    wait(client)
                self.assertEqual(late.exception.detail[kind][kind + "Id"], {"task": task_id, "batch": batch_id}[kind])
                self.assertIsInstance(late.exception.__cause__, TaskApiError)

    def test_a_key_makes_it_once(self):
        key = str(uuid.uuid4())
        made = [self.client.create({"input": "x"}, idempotency_key=key) for _ in range(2)]
        self.assertEqual(made[0]["taskId"], made[1]["taskId"])
        with self.assertRaises(TaskApiError) as caught:
            self.client.create({"input": "y"}, idempotency_key=key)
        self.assertEqual(caught.exception.code, ERROR_CODE["IDEMPOTENCY_CONFLICT"])

    def test_may_be_shared_by_threads(self):
        made = []
        work = lambda: made.append(self.client.create({"input": "x"})["taskId"])  # noqa: E731
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(set(made)), 8)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork")
    def test_a_fork_has_connections_of_its_own(self):
        task = self.client.create({"input": "x"})["taskId"]
        readers = []
        for _ in range(4):  # All inherit the same line, which is kept.
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                try:
                    seen = [self.client.get(task)["taskId"] == task for _ in range(20)]
                    os.write(writer, json.dumps(all(seen)).encode())
                finally:
                    os._exit(0)
            os.close(writer)
            readers.append((child, reader))
        self.assertTrue(all(self.client.get(task)["taskId"] == task for _ in range(20)))
        for child, reader in readers:
            os.waitpid(child, 0)
            with os.fdopen(reader) as file:
                self.assertEqual(file.read(), "true")


class Flaky:
    """Answers one after the other; None is no answer."""

    def __init__(self, *answers):
        import http.server

        flaky, self.heard = self, []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                flaky.heard.append((self.command, self.path, self.headers["Idempotency-Key"], self.rfile.read(length)))
                answer = answers[min(len(flaky.heard), len(answers)) - 1]
                if answer is None:
                    self.close_connection = True
                    return
                self.send_response(answer[0])
                self.send_header("Content-Length", str(len(answer[1])))
                for name, value in answer[2:]:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer[1].encode())

            do_GET = do_POST = do_PUT = do_DELETE = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.client = TaskClient("http://127.0.0.1:%d/base" % self.server.server_port, "token")
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self.server.shutdown()
        self.server.server_close()


WELL = (200, '{"status":1,"data":{"taskId":"t","status":30,"list":[]}}')


class FlakyTest(unittest.TestCase):
    def test_sends_a_create_again_under_its_key(self):
        with Flaky(None, (503, "away"), WELL) as flaky:
            flaky.client.create({"input": "x"})
        self.assertEqual(len(flaky.heard), 3)
        self.assertEqual(len({key for _, _, key, _ in flaky.heard}), 1)
        self.assertIsNotNone(flaky.heard[0][2])

    def test_sends_a_cancel_again_only_where_nothing_was_done(self):
        for answer, times in (((503, "away"), 1), (None, 1), ((429, refusal(14009, "too many requests")), 2)):
            with Flaky(WELL, answer, WELL) as flaky:
                flaky.client.get("t")  # Its line is kept; what is sent once takes another.
                try:
                    flaky.client.cancel("t")
                except TaskApiError as error:
                    self.assertEqual((times, error.retryable), (1, True))
            self.assertEqual(len(flaky.heard), 1 + times, answer)

    def test_gives_up_after_its_retries(self):
        with Flaky((503, "away")) as flaky:
            with self.assertRaisesRegex(TaskApiError, "HTTP 503"):
                flaky.client.get("t", retries=1)
        self.assertEqual(len(flaky.heard), 2)

    def test_follows_no_redirection(self):
        with Flaky((302, "", ("Location", "http://elsewhere/"))) as flaky:
            with self.assertRaisesRegex(TaskApiError, "a redirection to http://elsewhere/. Is base_url right"):
                flaky.client.get("a/b?c")
        self.assertEqual(flaky.heard[0][1], "/base/api/tasks/a%2Fb%3Fc")

    def test_an_answer_without_data_is_not_the_queues(self):
        with Flaky((200, '{"status":1}')) as flaky:
            with self.assertRaisesRegex(TaskApiError, "HTTP 200, an answer that is not the queue's"):
                flaky.client.get("t")

    def test_waits_while_the_queue_is_away(self):
        with Flaky((503, "away"), None, WELL) as flaky:
            self.assertEqual(flaky.client.wait_for("t", timeout=60)["status"], 30)

    def test_more_than_a_hundred_ids_go_in_a_body(self):
        with Flaky(WELL) as flaky:
            flaky.client.list({"ids": ["i"] * 100, "status": 10})
            flaky.client.list({"ids": ["i"] * 101, "status": 10})
        (get, path, _, _), (post, other, _, body) = flaky.heard
        self.assertEqual((get, post, other), ("GET", "POST", "/base/api/tasks/list"))
        self.assertIn("status=10", path)
        self.assertEqual(json.loads(body), {"ids": ["i"] * 101, "status": 10})


