"""An editor of each version, led to the scripted model server."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer
from tests.neovim.editor import Editor, name, programs
from tests.talk import KEY

EVERYWHERE = {
    "test_chat.py",
    "test_blocks.py",
    "test_history.py",
    "test_lookup.py",
    "test_prompt.py",
    "test_run.py",
    "test_shared.py",
}
"""What is tested in every version; the rest depends on none, and is tested in one."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    others = [f"[{name(program)}]" for program in programs()[1:]]
    items[:] = [
        item
        for item in items
        if item.path.name in EVERYWHERE or not item.name.endswith(tuple(others))
    ]


@pytest.fixture(params=programs(), ids=name)
def bare_editor(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, home: Path
) -> Iterator[Editor]:
    """Neovim with the plugin, nothing set; the daemon is found in $PATH."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.chdir(home)
    editor = Editor(request.param)
    yield editor
    editor.close()


@pytest.fixture
def editor(bare_editor: Editor, server: ThreadedServer) -> Editor:
    bare_editor.setup(settings={"api_base": server.url, "api_key": KEY})
    return bare_editor
