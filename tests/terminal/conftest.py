"""A terminal that leads to the scripted model server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.openai_server import ThreadedServer
from tests.talk import KEY
from tests.terminal.terminal import Terminal

Open = Callable[..., Terminal]


@pytest.fixture
def environ(server: ThreadedServer) -> dict[str, str]:
    return {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": KEY}


@pytest.fixture
def terminal(environ: dict[str, str], tmp_path: Path) -> Iterator[Open]:
    """Opens terminals in an empty folder; all are closed at the end."""
    folder = tmp_path / "work"
    folder.mkdir()
    with ExitStack() as opened:

        def open_terminal(*arguments: str | Path, **options: Any) -> Terminal:
            defaults: dict[str, Any] = {"environ": environ, "cwd": folder}
            return opened.enter_context(Terminal(*arguments, **(defaults | options)))

        yield open_terminal
