"""A real Neovim, driven over msgpack-rpc, with the plugin and the installed daemon."""

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynvim  # type: ignore[import-untyped]

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "clients" / "neovim"


def programs() -> list[str]:
    """The Neovims to test with: `$OI_NVIMS`, separated by colons, or the environment's own."""
    own = str(Path(sys.executable).with_name("nvim"))
    return os.environ.get("OI_NVIMS", own).split(":")


def name(program: str) -> str:
    """Of a Neovim, for people: the folder that it is in."""
    return Path(program).parent.name


class Editor:
    """Neovim with an empty configuration and this plugin on its runtimepath."""

    def __init__(self, program: str, *arguments: str) -> None:
        plugin = f"set runtimepath^={PLUGIN}"
        argv = [program, "--embed", "--headless", "--clean", "--cmd", plugin, *arguments]
        self.nvim = pynvim.attach("child", argv=argv)
        self._closed = False
        self.nvim.command("set columns=100 lines=40 noshowmode")

    def close(self) -> None:
        """Quit, whatever is under way; once is enough."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(EOFError, OSError):  # the answer to :qa never comes
            self.nvim.command("qa!")
        self.nvim.close()

    def lua(self, code: str, *arguments: Any) -> Any:
        return self.nvim.exec_lua(code, *arguments)

    def command(self, command: str) -> None:
        self.nvim.command(command)

    def keys(self, keys: str) -> None:
        """Type, as a person does; the keys are handled when this returns."""
        self.nvim.feedkeys(self.nvim.replace_termcodes(keys, True, True, True), "mt")
        self.wait(lambda: self.nvim.funcs.getchar(1) == 0, f"the keys {keys} are handled")

    def wait(self, holds: Callable[[], Any], what: str) -> Any:
        """Until it holds: what it gives. Neovim goes on meanwhile."""
        deadline = time.monotonic() + PATIENCE
        while not (value := holds()):
            assert time.monotonic() < deadline, f"never happened: {what}\n" + "\n".join(
                self.screen()
            )
            time.sleep(0.01)
        return value

    def setup(self, **options: Any) -> None:
        self.lua("require('oi').setup(...)", options)

    @property
    def buffer(self) -> Any:
        """The conversation's buffer."""
        names = {buffer.name: buffer for buffer in self.nvim.buffers if buffer.valid}
        return next((buffer for name, buffer in names.items() if "oi://" in name), None)

    def text(self) -> str:
        """The conversation, as it stands in its buffer; empty while there is none."""
        return "\n".join(self.buffer[:]) if self.buffer is not None else ""

    def wait_text(self, wanted: str) -> None:
        self.wait(lambda: wanted in self.text(), f"in the buffer: {wanted!r}")

    def wait_state(self, state: str) -> None:
        """Until the latest conversation is in this state, and has been drawn so."""
        latest = "require('oi.conversation').latest()"
        self.wait(lambda: self.lua(f"return {latest}.state") == state, f"state {state}")
        self.lua(f"require('oi.view').get({latest}):draw()")

    def marks(self, namespace: str) -> list[Any]:
        """Extmarks of the conversation: [id, row, column, details]."""
        number = self.nvim.api.create_namespace(namespace)
        marks: list[Any] = self.nvim.api.buf_get_extmarks(
            self.buffer, number, 0, -1, {"details": True}
        )
        return marks

    def hint(self) -> str:
        """What the last line offers."""
        return "".join(part[0] for part in self.marks("oi.status")[0][3]["virt_text"])

    def screen(self) -> list[str]:
        """What a person sees, row by row."""
        rows: list[str] = self.lua("""
            vim.cmd.redraw({ bang = true })
            local rows = {}
            for row = 1, vim.o.lines do
              local cells = {}
              for column = 1, vim.o.columns do
                cells[column] = vim.fn.screenstring(row, column)
              end
              rows[row] = table.concat(cells)
            end
            return rows
        """)
        return [row.rstrip() for row in rows]
