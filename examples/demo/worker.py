"""Captions, as far as a demo does; its first try at a task of two fails."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../clients/python"))
from softdd_task import RetryLater, Worker


@Worker(os.environ["TASK_URL"], os.environ["WORKER_TOKEN"], service="caption", concurrency=2)
def caption(context):
    args = json.loads(context.task["args"])
    for second in range(1, args["frames"] + 1):
        context.check()
        context.sleep(args["pause"] / 1000)
        context.progress(100 * second / args["frames"])
        if args["flaky"] and context.task["attempt"] == 1 and 2 * second > args["frames"]:
            raise RetryLater(1, "the model is not loaded yet")
    return context.task["input"].replace(".mov", ".vtt")


caption.run()
