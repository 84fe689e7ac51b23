"""The client with a server that the MCP library makes, and our messages with its types."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mcp_types
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.tools.shapes import VERSIONS, CallResult, InitializeResult, ListedTool
from oi_daemon.tools.toolbox import Toolbox
from tests.execution.runs import displays, output, run
from tests.fakes.mcp_server import PNG
from tests.tools.conftest import with_servers
from tests.wire_client import eventually

ROOT = Path(__file__).parents[2]


@pytest.fixture
def stdio_server() -> dict[str, Any]:
    return {
        "command": sys.executable,
        "args": ["-m", "tests.fakes.mcp_sdk_server"],
        "cwd": str(ROOT),
    }


@pytest.fixture
def http_server() -> Iterator[dict[str, Any]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tests.fakes.mcp_sdk_server", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL) as process:
        eventually(lambda: _answers(port), "the server's start")
        yield {"url": f"http://127.0.0.1:{port}/mcp"}
        process.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_tools_of_the_librarys_server(
    toolbox: Toolbox,
    python: Interpreters,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    transport: str,
) -> None:
    settings = request.getfixturevalue(f"{transport}_server")
    await toolbox.configure(with_servers({"sdk": settings}), str(tmp_path))

    code = 'print(tools.sdk.weather("Rome").data, tools.sdk.weather("Oslo", days=2).data["words"])'
    shown = await output(python, code)
    assert shown == "{'degrees': 1.0, 'words': 'dry in Rome'} dry in Oslo\n"
    assert "no luck" in await output(python, 'tools.sdk.fail("no luck")')
    assert displays(await run(python, "_ = tools.sdk.dot()")) == [{"image/png": PNG}]


def _fields(shape: type[Any]) -> Iterator[str]:
    yield from shape.__struct_encode_fields__


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (InitializeResult, mcp_types.InitializeResult),
        (CallResult, mcp_types.CallToolResult),
        (ListedTool, mcp_types.Tool),
    ],
)
def test_each_field_that_is_read_is_the_protocols(ours: type[Any], theirs: Any) -> None:
    known = {field.alias or name for name, field in theirs.model_fields.items()}
    assert set(_fields(ours)) <= known


def test_the_versions_are_the_librarys() -> None:
    from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

    assert set(VERSIONS) <= set(HANDSHAKE_PROTOCOL_VERSIONS)
