"""HTML: a page is displayed and saved to a file that a browser can open. No code runs."""

import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from oi_daemon.execution.language import Language, Lookup, StartedProcess, Workplace
from oi_daemon.files import make_private, write_private
from oi_daemon.messages import ActiveLine, BlockResult, Chunk, Display, EndOfExecution, Output
from oi_daemon.settings.paths import pages_path

_KEPT = 50
"""How many pages stay on disk. Older ones are deleted."""


class HTMLPage:
    """Implements `oi_daemon.execution.language.Process` without starting a process."""

    def __init__(self, workplace: Workplace) -> None:
        pass

    async def start(self) -> None:
        pass

    async def run(
        self, code: str, begun: Callable[[], object] | None = None
    ) -> AsyncGenerator[Chunk, None]:
        started = time.monotonic()
        yield Display({"text/html": code, "text/plain": "An HTML page."})
        yield Output(f"It is shown where pages can be shown, {_save(code)}.\n")
        yield ActiveLine(None)
        yield EndOfExecution(BlockResult("ok", time.monotonic() - started))

    def detach(self, sentence: str) -> None:
        return None

    def interrupt(self) -> None:
        pass

    async def answer(self, input: str, value: str | None) -> bool:
        return False

    def started(self) -> list[StartedProcess]:
        return []

    async def look_up(self, lookup: Lookup) -> bytes | None:
        return b"{}"

    async def close(self) -> None:
        pass


def _save(code: str) -> str:
    """Save a page; returns a sentence that says where it is, or why it could not be saved."""
    folder = pages_path()
    path = folder / f"{time.strftime('%Y-%m-%d_%H-%M-%S')}_{time.time_ns() % 10**9:09}.html"
    try:
        make_private(folder)
        write_private(path, code.encode("utf-8", "replace"))
    except OSError as error:
        return f"but could not be saved: {error}"
    _delete_old(folder)
    return f"and saved as {path}"


def _delete_old(folder: Path) -> None:
    """Delete all but the newest pages."""
    for page in sorted(folder.glob("*.html"))[:-_KEPT]:
        page.unlink(missing_ok=True)


LANGUAGE = Language(
    name="html",
    aliases=("htm",),
    start=HTMLPage,
    suffix=".html",
    lexer="html",
    vscode=("html",),
    neovim=("html",),
)
