"""A page is shown, and can be opened."""

import re
import stat
from pathlib import Path

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.languages import html
from oi_daemon.settings.paths import pages_path
from tests.execution.runs import displays, lines, output, run, text

PAGE = "<h1>Hällo</h1>\n<script>alert(1)</script>\n"


async def test_a_page_is_shown_and_saved(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, PAGE, language="html")
    assert displays(chunks)[0]["text/html"] == PAGE
    assert not lines(chunks)
    path = saved(text(chunks))
    assert path.read_text() == PAGE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_page_outlives_its_conversation(interpreters: Interpreters) -> None:
    path = saved(await output(interpreters, PAGE, language="html"))
    await interpreters.close()
    assert path.exists()


async def test_the_newest_pages_are_kept(
    interpreters: Interpreters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "_KEPT", 2)
    paths = [saved(await output(interpreters, PAGE, language="html")) for _ in range(4)]
    assert [path.exists() for path in paths] == [False, False, True, True]


async def test_a_disk_that_takes_no_page_is_said(interpreters: Interpreters) -> None:
    pages_path().parent.mkdir(parents=True)
    pages_path().write_text("no folder")
    assert "but could not be saved: " in await output(interpreters, PAGE, language="html")


def saved(told: str) -> Path:
    found = re.search(r"saved as (.+)\.\n", told)
    assert found is not None
    return Path(found[1])
