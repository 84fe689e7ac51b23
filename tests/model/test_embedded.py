import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from oi_daemon.errors import ConnectionLostError, NoModelError
from oi_daemon.messages import UserMessage
from oi_daemon.model.local.compact import compact_messages
from oi_daemon.model.local.embedded import EmbeddedServer
from tests.processes import command_line

REAL_MODEL = os.environ.get("OI_REAL_MODEL", "")

SERVING = Path(__file__).parents[1] / "fakes" / "serving"


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SERVING)
    monkeypatch.setenv("PYTHONPATH", str(SERVING))


@pytest.fixture
def behaviour() -> str:
    """How the stand-in behaves that serves the file."""
    return "serve"


@pytest.fixture
def file(tmp_path: Path, behaviour: str) -> Path:
    path = tmp_path / "tiny-model.gguf"
    path.write_text(behaviour, encoding="utf-8")
    return path


@pytest.fixture
async def server(file: Path) -> AsyncIterator[EmbeddedServer]:
    server = EmbeddedServer(file)
    yield server
    await server.close()


async def ask(server: EmbeddedServer, path: str = "parameters", key: str | None = None) -> Any:
    def get() -> Any:
        request = urllib.request.Request(
            f"{server.api_base}/{path}",
            headers={"Authorization": f"Bearer {key or server.api_key}"},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    return await asyncio.to_thread(get)


async def crash(server: EmbeddedServer) -> None:
    with contextlib.suppress(OSError):
        await ask(server, "crash")


def has_ended(pid: int) -> bool:
    """Whether the process ends within ten seconds."""
    try:
        psutil.Process(pid).wait(10)
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired:
        return False
    return True


async def test_serves_on_loopback_with_a_key_of_its_own(server: EmbeddedServer) -> None:
    await server.start()
    assert server.api_base.startswith("http://127.0.0.1:")
    assert server.model == "tiny-model"
    assert (await ask(server))["threads"] >= 1
    with pytest.raises(urllib.error.HTTPError) as refused:
        await ask(server, key="another")
    refused.value.close()


async def test_runs_in_a_process_of_its_own_that_is_kept(server: EmbeddedServer) -> None:
    await asyncio.gather(server.start(), server.start())
    pid = (await ask(server))["pid"]
    await server.start()
    assert pid != os.getpid()
    assert (await ask(server))["pid"] == pid
    assert await server.failure() is None


async def test_says_why_it_died_and_starts_again(server: EmbeddedServer) -> None:
    await server.start()
    await crash(server)
    failure = await server.failure()
    assert isinstance(failure, ConnectionLostError)
    assert "The embedded model stopped (SIGABRT)" in str(failure)
    assert "GGML_ASSERT(n > 0) failed" in str(failure)
    await server.start()
    assert (await ask(server))["pid"]
    assert await server.failure() is None


@pytest.mark.parametrize("behaviour", ["crash"])
async def test_a_model_that_does_not_load_is_said_to(server: EmbeddedServer) -> None:
    with pytest.raises(ConnectionLostError, match=r"Failed to init server.*tiny-model\.gguf"):
        await server.start()


async def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoModelError, match=r"no model file .*absent\.gguf"):
        await EmbeddedServer(tmp_path / "absent.gguf").start()


async def test_says_what_to_install(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NoModelError, match=r'pip install "oi-daemon\[local\]"'):
        await server.start()


async def test_close_ends_the_process(server: EmbeddedServer) -> None:
    await server.start()
    pid = (await ask(server))["pid"]
    await server.close()
    assert has_ended(pid)


@pytest.mark.parametrize("behaviour", ["slow"])
async def test_loading_can_be_cancelled_and_leaves_no_process(server: EmbeddedServer) -> None:
    starting = asyncio.create_task(server.start())
    child = await asyncio.to_thread(_child_of, os.getpid())
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert has_ended(child)


@pytest.fixture
def owner(file: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that owns an embedded server."""
    program = (
        "import asyncio, pathlib, sys\n"
        "from oi_daemon.model.local.embedded import EmbeddedServer\n"
        "async def main():\n"
        "    await EmbeddedServer(pathlib.Path(sys.argv[1])).start()\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    root = str(SERVING.parents[2])
    environ = os.environ | {"PYTHONPATH": os.pathsep.join([str(SERVING), root])}
    with subprocess.Popen([sys.executable, "-c", program, str(file)], env=environ) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("behaviour", ["serve", "slow"])
def test_dies_with_its_owner(owner: subprocess.Popen[bytes]) -> None:
    """However the owner goes, and whether the model is loaded or not."""
    child = _child_of(owner.pid)
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    assert has_ended(child)


def _child_of(pid: int) -> int:
    """The pid of its embedded server, once there is one."""
    for _ in range(1000):
        for child in psutil.Process(pid).children():
            if any(word.endswith("embedded_process.py") for word in command_line(child)):
                return child.pid
        with contextlib.suppress(psutil.TimeoutExpired):
            psutil.Process(pid).wait(0.01)
    raise AssertionError("no child within ten seconds")


@pytest.mark.real_model
@pytest.mark.skipif(not REAL_MODEL, reason="OI_REAL_MODEL names no model file")
async def test_the_real_model_writes_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of it once: loading, the prompt, the grammar."""
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(SERVING)])
    monkeypatch.delenv("PYTHONPATH")
    server = EmbeddedServer(Path(REAL_MODEL))
    await server.start()
    try:
        reply = await asyncio.to_thread(_complete, server)
    finally:
        await server.close()
    assert reply.startswith("```python\n")
    assert reply.endswith("```")


def _complete(server: EmbeddedServer) -> str:
    messages = compact_messages([UserMessage("How many prime numbers are there below 100?")])
    body = {"model": server.model, "messages": messages, "temperature": 0, **server.extra_body}
    request = urllib.request.Request(
        f"{server.api_base}/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {server.api_key}"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        reply: str = json.load(answer)["choices"][0]["message"]["content"]
    return reply
