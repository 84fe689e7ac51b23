"""How long Neovim is held up while 5,000 tokens arrive at 500 a second.

`python -m benchmarks.neovim`. Measured in the editor, by a timer that is due each millisecond: the
processor time, and the time on the wall, between two of its calls. On a machine with other work the
wall's says little.
"""

import os
import sys
import tempfile
from pathlib import Path

from tests.fakes.openai_server import ScriptedServer, text
from tests.neovim.editor import Editor, name, programs

ENDS = {29: "\n\n", 7: " **bold** ", 14: " `code` "}
WORDS = [f"word{i}" + ENDS.get(i % 30, " ") for i in range(5000)]

WATCH = """
gaps = {}
local wall, clock = vim.uv.hrtime(), os.clock()
vim.uv.new_timer():start(1, 1, function()
  local now, used = vim.uv.hrtime(), os.clock()
  table.insert(gaps, { (now - wall) / 1e6, (used - clock) * 1e3 })
  wall, clock = now, used
end)
"""


def main() -> None:
    os.environ["HOME"] = tempfile.mkdtemp()
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for program in programs():
        with ScriptedServer.in_thread(text(*WORDS).but(delay=0.002)) as server:
            measure(program, server.url)


def measure(program: str, url: str) -> None:
    editor = Editor(program)
    editor.nvim.ui_attach(100, 40, rgb=True)
    editor.setup(settings={"api_base": url, "api_key": "sk-none"})
    editor.command("OIChat go")
    editor.wait_text("word0")
    editor.command("wincmd p")
    editor.lua(WATCH)
    editor.wait_text("word4999")
    gaps: list[list[float]] = editor.lua("return gaps")
    editor.close()
    for kind, times in (("wall", [gap[0] for gap in gaps]), ("processor", [g[1] for g in gaps])):
        times.sort()
        most = len(times) * 999 // 1000
        print(
            f"{name(program):16} {kind:10} 99.9 %: {times[most]:6.1f} ms   all: {times[-1]:6.1f} ms"
        )


if __name__ == "__main__":
    main()
