"""Handlers that a process can import by their names."""

import asyncio
import ctypes
import multiprocessing
import os
import threading
import time
import warnings


def shout(context):
    context.progress(50, "half")
    return {"pid": os.getpid(), "input": context.task["input"].upper()}


def hold_the_gil(context):
    """Holds the GIL for `args` seconds, as some C extensions do."""
    ctypes.PyDLL(None).sleep(int(context.task["args"]))
    return "held"


async def whisper(context):
    context.progress(50, "half")
    await asyncio.sleep(0)
    return {"pid": os.getpid(), "input": context.task["input"].lower()}


class Exits(Exception):
    """Reading its text raises SystemExit."""

    def __str__(self):
        raise SystemExit("no text")


def exit_in_text(_):
    raise Exits()


def fail(_):
    raise KeyError("frame 7")


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
    """Starts processes in both ways. A Pool ends its workers by SIGTERM."""
    outputs = []
    for method in ("fork", "spawn"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # A fork of a process with threads.
            with multiprocessing.get_context(method).Pool(2) as pool:
                outputs += pool.map(abs, [-1, -2])
    return outputs


def start_nap(context):
    """Starts a process, reports both ids, and then sleeps or, with the args "die", dies."""
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
