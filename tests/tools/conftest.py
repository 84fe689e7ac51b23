import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.settings import Settings, change
from oi_daemon.tools import server
from oi_daemon.tools.toolbox import Toolbox

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def forget_listings() -> None:
    server._listings.clear()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the fake server is told, one JSON object a line."""
    return tmp_path / "mcp.log"


@pytest.fixture
def stdio(log: Path) -> dict[str, Any]:
    """The settings of the fake server, started by the daemon."""
    return {
        "command": sys.executable,
        "args": ["-m", "tests.fakes.mcp_server"],
        "env": {"MCP_LOG": str(log), "MY_TOKEN": "tok-0123456789"},
        "cwd": str(ROOT),
    }


@pytest.fixture
def http(log: Path) -> Iterator[dict[str, Any]]:
    """The settings of the fake server that runs elsewhere."""
    command = [sys.executable, "-m", "tests.fakes.mcp_server", "--http"]
    environment = {"MCP_LOG": str(log)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        yield {
            "url": f"http://127.0.0.1:{port}/mcp",
            "headers": {"Authorization": "Bearer sk-secret-12345"},
        }
        process.kill()


@pytest.fixture(params=["stdio", "http"])
def fake(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of the fake server, over both transports."""
    settings: dict[str, Any] = request.getfixturevalue(request.param)
    return settings


@pytest.fixture
async def toolbox() -> AsyncIterator[Toolbox]:
    toolbox = Toolbox()
    yield toolbox
    await toolbox.close()


Configure = Callable[..., Any]


@pytest.fixture
async def python(toolbox: Toolbox, tmp_path: Path) -> AsyncIterator[Interpreters]:
    """Python whose `tools` are those of the toolbox."""
    interpreters = Interpreters(Workplace(cwd=str(tmp_path), has_tools=True, tools=toolbox))
    yield interpreters
    await interpreters.close()


def with_servers(servers: dict[str, Any], **more: Any) -> Settings:
    return change(Settings(), {"mcp": servers, **more})


def told(log: Path) -> list[dict[str, Any]]:
    """All that the fake server was told, besides lists of its tools."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
