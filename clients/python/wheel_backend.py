"""Builds the wheel and the source archive of `softdd_task` (PEP 517, PEP 660), with the standard library alone."""

import base64
import hashlib
import io
import os
import re
import tarfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = "softdd_task"

with open(os.path.join(HERE, PACKAGE, "__init__.py"), encoding="utf-8") as _file:
    VERSION = re.search(r'^__version__ = "(.+)"$', _file.read(), re.M)[1]
NAME = "%s-%s" % (PACKAGE, VERSION)
METADATA = """Metadata-Version: 2.1
Name: softdd-task
Version: %s
Summary: Workers and a client for a @softdd/task server. No dependencies.
License: MIT
Requires-Python: >=3.9
""" % (VERSION,)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, {name: _read(name) for name in _files()})


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _wheel(wheel_directory, {PACKAGE + ".pth": HERE.encode() + b"\n"})


def build_sdist(sdist_directory, config_settings=None):
    with tarfile.open(os.path.join(sdist_directory, NAME + ".tar.gz"), "w:gz") as archive:
        for name in ["pyproject.toml", "wheel_backend.py", *_files()]:
            archive.add(os.path.join(HERE, name), NAME + "/" + name)
        metadata = tarfile.TarInfo(NAME + "/PKG-INFO")
        metadata.size = len(METADATA.encode())
        archive.addfile(metadata, io.BytesIO(METADATA.encode()))
    return NAME + ".tar.gz"


def _files():
    """The files of the package and of its subpackages, with slashes, as archives name them."""
    names = []
    for folder, _, files in os.walk(os.path.join(HERE, PACKAGE)):
        inside = os.path.relpath(folder, HERE).replace(os.sep, "/")
        names += [inside + "/" + name for name in files if name.endswith((".py", ".typed"))]
    return sorted(names)


def _read(name):
    with open(os.path.join(HERE, name), "rb") as file:
        return file.read()


def _wheel(folder, contents):
    info, name = NAME + ".dist-info/", NAME + "-py3-none-any.whl"
    contents[info + "METADATA"] = METADATA.encode()
    contents[info + "WHEEL"] = b"Wheel-Version: 1.0\nGenerator: softdd\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    lines = ["%s,sha256=%s,%d" % (path, _hash(data), len(data)) for path, data in contents.items()]
    contents[info + "RECORD"] = "\n".join([*lines, info + "RECORD,,", ""]).encode()
    with zipfile.ZipFile(os.path.join(folder, name), "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in contents.items():
            archive.writestr(path, data)
    return name


def _hash(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
