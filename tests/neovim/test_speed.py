"""A fast stream: drawn in batches, complete, and out of the way of whoever types."""

import subprocess
from pathlib import Path

from tests.fakes.openai_server import ThreadedServer, text
from tests.neovim.editor import PLUGIN, Editor, programs

WORDS = [f"word{i}" + ("\n\n" if i % 30 == 29 else " ") for i in range(3000)]

WATCH = """
held, draws, chunks = 0, 0, 0
local View = require("oi.view")
local draw, clock = View.draw, os.clock() -- of the processor: others may use the machine too
View.draw = function(...) draws = draws + 1; draw(...) end
require("oi").on_chunk(function() chunks = chunks + 1 end)
vim.uv.new_timer():start(1, 1, function()
  held, clock = math.max(held, os.clock() - clock), os.clock()
end)
"""


def test_who_types_is_not_held_up(editor: Editor, server: ThreadedServer) -> None:
    """3,000 tokens arrive while somebody types in another window."""
    server.enqueue(text(*WORDS).but(delay=0.001))
    editor.nvim.ui_attach(100, 40, rgb=True)
    editor.command("OIChat go")
    editor.wait_text("word0")
    editor.keys("<C-w>p")
    editor.nvim.feedkeys("i", "n")
    editor.lua(WATCH)
    typed = 0
    while "word2999" not in editor.text():
        editor.nvim.input("x")
        typed += 1
    editor.wait_state("idle")
    assert editor.text().split()[2:] == "".join(WORDS).split()
    assert editor.nvim.current.line == "x" * typed
    held, draws, chunks = (editor.lua(f"return {name}") for name in ("held", "draws", "chunks"))
    assert draws < chunks / 4
    assert held < 0.1  # benchmarks/neovim.py measures; here only what nobody could mistake


def test_the_plugin_costs_less_than_a_millisecond_until_it_is_used(tmp_path: Path) -> None:
    """In the best of some starts."""
    log = tmp_path / "startup.log"
    plugin = f"set runtimepath^={PLUGIN}"
    argv = [
        programs()[0],
        "--headless",
        "--clean",
        "--cmd",
        plugin,
        "--startuptime",
        str(log),
        "+qa",
    ]
    for _ in range(5):
        subprocess.run(argv, check=True, capture_output=True)
    lines = [line.split() for line in log.read_text().splitlines() if "plugin/oi.lua" in line]
    assert len(lines) == 5
    assert min(float(took) for _, took, *_ in lines) < 1.0
