import ast
import importlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile

import softdd_task
from softdd_task import Worker

from .support import FOLDER, needs


def sources(folder):
    """The Python files below a folder, by their paths in it."""
    found = [os.path.join(path, name) for path, _, names in os.walk(folder) for name in names if name.endswith(".py")]
    return sorted(os.path.relpath(path, folder) for path in found)


class PackageTest(unittest.TestCase):
    def test_is_python_3_9_in_files_of_400_lines_at_most(self):
        folder = os.path.join(FOLDER, "softdd_task")
        files = sources(folder)
        self.assertGreater(len(files), 20)
        for name in files:
            with open(os.path.join(folder, name)) as file:
                text = file.read()
            ast.parse(text, feature_version=(3, 9))
            self.assertLessEqual(text.count("\n"), 400, name)

    def test_is_installed_by_pip_with_the_version_of_the_project(self):
        with open(os.path.join(FOLDER, "../../package.json")) as file:
            version = json.load(file)["version"]
        with tempfile.TemporaryDirectory() as folder:
            flags = ["--quiet", "--no-index", "--no-deps", "--disable-pip-version-check", "--target", folder]
            done = subprocess.run([sys.executable, "-m", "pip", "install", *flags, FOLDER], capture_output=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            program = "import softdd_task as t; from importlib.metadata import version as v; print(v('softdd-task'), t)"
            command = [sys.executable, "-c", program]
            seen = subprocess.run(command, env={"PYTHONPATH": folder}, cwd=folder, capture_output=True, text=True)
            self.assertEqual(seen.stdout.split()[0], version, seen.stderr)
            self.assertIn(folder, seen.stdout)
            self.assertTrue(os.path.exists(os.path.join(folder, "softdd_task", "py.typed")))
            self.assertEqual(sources(os.path.join(folder, "softdd_task")), sources(os.path.join(FOLDER, "softdd_task")))
        self.assertEqual(softdd_task.__version__, version)

    def test_works_as_a_folder_that_is_copied(self):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(os.path.join(FOLDER, "softdd_task"), os.path.join(folder, "softdd_task"))
            # Files of an earlier copy are in nobody's way.
            for name in ("softdd_task.py", "softdd_task/worker.py", "softdd_task/runner.py"):
                with open(os.path.join(folder, name), "w") as file:
                    file.write("raise ImportError('the former file')\n")
            program = (
                "import softdd_task.runner as r, softdd_task as t; print(t.__file__, r.__file__, t.Worker.__module__)"
            )
            command = [sys.executable, "-I", "-c", "import sys; sys.path.insert(0, %r); %s" % (folder, program)]
            seen = subprocess.run(command, capture_output=True, text=True)
            expected = [os.path.join(folder, "softdd_task", name) for name in ("__init__.py", "worker/runner.py")]
            self.assertEqual(seen.stdout.split(), [*expected, "softdd_task.worker.task_worker"], seen.stderr)

    def test_its_source_archive_makes_the_same_wheel(self):
        build = "import sys, wheel_backend as backend; print(getattr(backend, sys.argv[1])(sys.argv[2]))"

        def made(kind, source, target):
            command = [sys.executable, "-B", "-c", build, kind, target]
            done = subprocess.run(command, cwd=source, capture_output=True, text=True)
            self.assertEqual(done.stderr, "")
            return os.path.join(target, done.stdout.strip())

        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
            name = "softdd_task-" + softdd_task.__version__
            with tarfile.open(made("build_sdist", FOLDER, folder)) as archive:
                # Later Pythons warn where no filter is given; earlier ones know none.
                archive.extractall(folder, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
            with open(os.path.join(folder, name, "PKG-INFO")) as file:
                self.assertIn("Name: softdd-task\nVersion: %s\n" % softdd_task.__version__, file.read())
            wheels = [made("build_wheel", FOLDER, other), made("build_wheel", os.path.join(folder, name), folder)]
            contents = []
            for wheel in wheels:
                with zipfile.ZipFile(wheel) as archive:
                    contents.append({each: archive.read(each) for each in archive.namelist()})
        self.assertEqual(contents[0], contents[1])
        self.assertIn("softdd_task/worker/runner.py", contents[0])

    def test_its_modules_have_their_former_names_too(self):
        for name in ("context", "forks", "outcome", "processes", "reporter", "runner", "session"):
            former = importlib.import_module("softdd_task." + name)
            self.assertIs(former, importlib.import_module("softdd_task.worker." + name))
            self.assertIs(former, getattr(softdd_task, name))
        former = {
            "context": ["Context"],
            "errors": ["TaskError", "Stopped", "describe", "problems_of", "storable", "traceback_of", "words_of"],
            "forks": ["forget", "watch"],
            "outcome": ["Handler", "Loop", "Outcome", "check_handler", "perform"],
            "processes": ["NotReady", "ProcessDied", "Processes"],
            "reporter": ["Reporter", "fitting"],
            "runner": ["REFUSED_FOR", "Runner"],
            "session": ["MOST", "Pace", "Session"],
            "task_client": ["MOST_IDS", "TaskClient"],
            "transport": ["LONGEST_ANSWER", "Line", "Server", "Token", "backoff", "retry_after"],
            "worker": ["Worker"],
        }
        for module, names in former.items():
            for name in names:
                self.assertTrue(hasattr(importlib.import_module("softdd_task." + module), name), (module, name))

    @needs("mypy")
    def test_is_typed(self):
        with tempfile.TemporaryDirectory() as folder:
            command = ["mypy", "--strict", "--cache-dir", folder, "-p", "softdd_task"]
            done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)

    def test_takes_an_address_of_ipv6_without_a_port(self):
        for url, port in (("http://[::1]", 80), ("https://[::1]", 443), ("http://[::1]:3000", 3000)):
            connection = Worker(url, "token")._server.connection(1)
            self.assertEqual((connection.host, connection.port), ("::1", port))
