"""Every test has a home of its own, no key, and no network but loopback."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from oi_daemon import Interpreter
from tests.fakes.openai_server import ScriptedServer, ThreadedServer

# A runner that was started in the background ignores them, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# An example may take as long as it takes: a busy machine is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; the environment names no key, setting or proxy."""
    for name in os.environ:
        if name.startswith(("OI_", "OPENAI_", "XDG_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("OI_KEEP_FILES", "false")  # most tests run in the folder of the sources
    return folder


@pytest.fixture(autouse=True, scope="module")
def collected() -> Iterator[None]:
    """What a module leaves open fails that module, and not the one in which it is collected."""
    yield
    gc.collect()


@pytest.fixture
def server() -> Iterator[ThreadedServer]:
    """A scripted model server, for tests that block."""
    with ScriptedServer.in_thread() as scripted:
        yield scripted


@pytest.fixture
def interpreter(server: ThreadedServer) -> Iterator[Interpreter]:
    """An object of the library, that converses with the scripted model."""
    with Interpreter(api_base=server.url, api_key="sk-test-0123456789") as it:
        yield it
