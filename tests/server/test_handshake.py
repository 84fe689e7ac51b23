"""The answer to `initialize`, which does not wait for pygls."""

import sys
from pathlib import Path
from typing import Any

import pytest
from pygls.uris import to_fs_path

from oi_daemon.protocol.framing import Framing
from oi_daemon.server.handshake import introduction, introduction_answer, workspace_folder
from oi_daemon.server.lsp import lifecycle
from tests.wire_client import WireClient

WITHOUT_PYGLS = (
    "import sys; sys.modules['pygls'] = None;"
    "from tests.fakes.wire_daemon import *; run(WireDaemon, language_names)"
)
WITHOUT_METHODS = (
    "import sys; sys.modules['oi_daemon.server.methods'] = None;"
    "sys.argv = ['oi-daemon', '--stdio']; from oi_daemon.cli import daemon; daemon()"
)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"processId": 1, "capabilities": {"general": {"positionEncodings": ["utf-8"]}}},
        {"processId": None, "initializationOptions": {"settings": {"model": "x"}}, "trace": "off"},
    ],
)
async def test_it_is_what_pygls_says(params: dict[str, Any]) -> None:
    async def start(settings: dict[str, Any] | None, folder: str | None) -> None:
        pass

    languages = ["python", "shell"]
    said = await lifecycle(start, lambda: languages).request("initialize", params, 1)
    assert introduction(params) is not None
    assert said == introduction_answer(languages)


def test_it_comes_before_pygls_is_imported() -> None:
    with WireClient((sys.executable, "-c", WITHOUT_PYGLS), Framing.HEADERS) as client:
        assert (
            client.result("initialize", {"capabilities": {}})["serverInfo"]["name"] == "oi-daemon"
        )


def test_it_comes_before_anything_is_imported_that_serves_requests() -> None:
    with WireClient((sys.executable, "-c", WITHOUT_METHODS), Framing.HEADERS) as client:
        answer = client.result("initialize", {"capabilities": {}})
        assert "python" in answer["capabilities"]["experimental"]["oi"]["languages"]


@pytest.mark.parametrize("name", ["plain", "a folder", "ü%20", "#?"])
def test_a_folder_is_what_pygls_reads(tmp_path: Path, name: str) -> None:
    there = tmp_path / name
    there.mkdir()
    assert workspace_folder({"rootUri": there.as_uri()}) == to_fs_path(there.as_uri()) == str(there)


@pytest.mark.parametrize(
    "params", [{"processId": "x"}, {"initializationOptions": {"settings": []}}]
)
def test_what_does_not_fit_is_left_to_pygls(params: dict[str, Any]) -> None:
    assert introduction(params) is None
