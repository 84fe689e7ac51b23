"""A conversation in its buffer: words, code, approval, output, the active line."""

from functools import partial
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, error, example, reasoning, text, tool_call
from tests.neovim.editor import Editor
from tests.talk import code

SLOW = "import time\ntime.sleep(0.3)\nx = 1\ntime.sleep(0.4)\nprint(x)"


def test_the_documentations_example(editor: Editor, server: ThreadedServer) -> None:
    """Ask, see the code, approve it by Enter, see output and closing words."""
    server.enqueue(*example())
    editor.command("OIChat What's 34/24?")
    editor.wait_state("approval")
    assert "output" not in editor.text()
    editor.keys("<CR>")
    editor.wait_text("The result is 1.4166...")
    editor.wait_state("idle")
    assert editor.text().splitlines() == [
        "> What's 34/24?",
        "",
        "```python",
        "34 / 24",
        "```",
        "```output",
        "1.4166666666666667",
        "```",
        "",
        "The result is 1.4166...",
        "",
    ]


def test_what_a_person_sees(editor: Editor, server: ThreadedServer) -> None:
    """Fences are drawn as lines with the language; the last line offers the keys."""
    server.enqueue(text("Let me see."), *example())
    editor.command("OIChat Hello")
    editor.wait_state("idle")
    editor.command("OIChat What's 34/24?")
    editor.wait_state("approval")
    screen = "\n".join(editor.screen())
    assert "── python ──" in screen
    assert "```" not in screen
    assert "<CR> run  e edit  x skip  <C-c> stop  \\a always" in editor.hint()
    assert "waiting for your yes  gpt-4" in screen
    assert "Hello" in screen.splitlines()[0]


def test_the_active_line_moves_as_the_code_runs(editor: Editor, server: ThreadedServer) -> None:
    """It is highlighted, has a sign, and is gone when the code has ended."""
    server.enqueue(code(SLOW), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    seen = set()
    for _ in range(2):
        mark = editor.wait(
            lambda: [m for m in editor.marks("oi.active_line") if m[1] not in seen], "a new line"
        )[0]
        seen.add(mark[1])
        assert mark[3]["line_hl_group"] == "OIActiveLine"
        assert mark[3]["sign_text"].strip() == "▶"
    assert seen <= {row for row, line in enumerate(editor.buffer[:]) if line in SLOW}
    editor.wait_text("Done.")
    editor.wait_state("idle")
    assert editor.marks("oi.active_line") == []


def test_the_sign_stands_on_the_screen_beside_the_line(
    editor: Editor, server: ThreadedServer
) -> None:
    server.enqueue(code("import time\ntime.sleep(60)"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait(
        lambda: any("▶ time.sleep(60)" in row for row in editor.screen()), "the sign on the screen"
    )


def test_the_cursor_follows_only_from_the_last_line(editor: Editor, server: ThreadedServer) -> None:
    """From there it follows; anywhere else it stays where it is, and so does the other window."""
    words = [f"word {i}\n\n" for i in range(50)]
    server.enqueue(text(*words).but(hold_after=10), text(*words))
    editor.command("OIChat count")
    editor.wait_text("word 9")
    server.wait_held()
    editor.keys("gg")
    server.release()
    editor.wait_state("idle")
    assert editor.nvim.current.window.cursor[0] == 1
    editor.keys("G")
    editor.command("OIChat again")
    editor.wait_state("idle")
    editor.wait(lambda: editor.text().count("word 49") == 2, "the second answer")
    assert editor.nvim.current.window.cursor[0] == len(editor.buffer)


def test_the_undo_history_stays_empty(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(*example())
    editor.command("OIChat What's 34/24?")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_state("idle")
    assert editor.nvim.funcs.undotree(editor.buffer.number)["entries"] == []
    assert not editor.buffer.options["modified"]
    assert not editor.buffer.options["modifiable"]


def test_a_long_output_is_folded_but_for_its_ends(editor: Editor, server: ThreadedServer) -> None:
    """In this window and in one that is opened later."""
    server.enqueue(code("for i in range(300): print('line', i)"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("Done.")
    editor.wait_state("idle")
    row = editor.buffer[:].index("line 100") + 1
    first, last = editor.buffer[:].index("line 5") + 1, editor.buffer[:].index("line 294") + 1
    assert editor.nvim.funcs.foldclosed(row) == first
    assert editor.nvim.funcs.foldclosedend(row) == last
    assert any("290 more lines" in line for line in editor.screen())
    editor.command("tab split")
    assert editor.nvim.funcs.foldclosed(row) == first


def test_a_fold_stays_one_however_often_it_is_drawn(editor: Editor, server: ThreadedServer) -> None:
    """`zo` opens it, and what is drawn later leaves it open."""

    def shows(model: str) -> bool:
        return editor.screen()[0].endswith(model)

    editor.lua("require('oi').execute('python', 'for i in range(300): print(\"line\", i)')")
    editor.wait_text("line 299")
    editor.wait_state("idle")
    for model in ("gpt-4o", "gpt-4o-mini"):
        editor.command(f"OI model {model}")
        editor.wait(partial(shows, model), "it is drawn anew")
        editor.wait_state("idle")
    row = editor.buffer[:].index("line 100") + 1
    editor.nvim.current.window.cursor = (row, 0)
    editor.keys("zo")
    editor.command("OI model gpt-4")
    editor.wait(partial(shows, "gpt-4"), "it is drawn anew")
    assert editor.nvim.funcs.foldclosed(row) == -1


def test_colours_of_output_are_shown(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(code("print('\\033[31mred\\033[0m plain')"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("red plain")
    editor.wait_state("idle")
    row = editor.buffer[:].index("red plain")
    (mark,) = [m for m in editor.marks("oi.text") if m[1] == row]
    assert mark[3]["end_col"] == 3
    group = editor.nvim.api.get_hl(0, {"name": mark[3]["hl_group"]})
    assert group["ctermfg"] == 1


def test_code_is_highlighted_in_its_language(editor: Editor, server: ThreadedServer) -> None:
    """Without a parser too: by Vim's own syntax."""
    server.enqueue(code("def f(): return 'x'"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    row = editor.buffer[:].index("def f(): return 'x'") + 1
    editor.screen()
    stack = editor.lua(
        "return vim.tbl_map(function(id) return vim.fn.synIDattr(id, 'name') end,"
        f" vim.fn.synstack({row}, 1))"
    )
    assert stack[-1] == "pythonStatement"


def test_a_progress_bar_moves_in_its_line_and_what_is_cleared_goes(
    editor: Editor, server: ThreadedServer
) -> None:
    editor.lua("vim.ui.input = function(o, done) vim.g.asked = o.prompt; answer = done end")
    source = (
        "print('old')\n"
        "print('\\x1b[H\\x1b[2J', end='')\n"
        "print('\\r 1%', '\\r50%', sep='', end='', flush=True)\n"
        "input('Go on? ')\n"
        "print('\\r100%\\nend')"
    )
    server.enqueue(code(source), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("```output\n50%\n```")
    editor.wait(lambda: editor.lua("return vim.g.asked"), "it was asked")
    editor.lua("answer('')")
    editor.wait_text("```output\n100%\nend\n```\n\nDone.")


def test_a_picture_is_a_path(editor: Editor, server: ThreadedServer) -> None:
    """Its file is there, and the line leads to it: `gx` anywhere in it opens the file."""
    editor.lua("vim.ui.open = function(path) vim.g.opened = path end")
    source = "class P:\n    def _repr_png_(self): return b'\\x89PNG'\nP()"
    server.enqueue(code(source), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_state("idle")
    (line,) = [line for line in editor.buffer[:] if line.startswith("![")]
    path = line[line.index("(") + 1 : -1]
    assert Path(path).read_bytes() == b"\x89PNG"
    (mark,) = [mark for mark in editor.marks("oi.text") if "url" in mark[3]]
    assert mark[3]["url"] == path
    editor.nvim.current.window.cursor = (mark[1] + 1, 0)
    editor.keys("gx")
    assert editor.nvim.vars["opened"] == path


SNACKS = """
log = {}
package.loaded.snacks = { image = {
  supports_terminal = function() return true end,
  placement = { new = function(buf, path, at)
    table.insert(log, { "shown", at.pos[1] })
    return { close = function() table.insert(log, { "closed" }) end }
  end },
} }
"""
IMAGE = """
log = {}
package.loaded.image = { from_file = function(path, at)
  return {
    render = function() table.insert(log, { "shown", at.y + 1 }) end,
    clear = function() table.insert(log, { "closed" }) end,
  }
end }
"""


@pytest.mark.parametrize("plugin", [SNACKS, IMAGE], ids=["snacks", "image"])
def test_a_picture_is_shown_by_a_plugin_that_can(
    editor: Editor, server: ThreadedServer, plugin: str
) -> None:
    """Once, below its line; where output moves the line, the picture moves."""
    editor.lua(plugin)
    source = "class P:\n    def _repr_png_(self): return b'\\x89PNG'\n"
    source += "display(P())\ninput()\nprint('more')"
    editor.lua("vim.ui.input = function(o, done) vim.g.asked = true; answer = done end")
    server.enqueue(code(source), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait(lambda: editor.lua("return vim.g.asked"), "it was asked")
    first = next(i for i, line in enumerate(editor.buffer[:]) if line.startswith("![")) + 1
    assert editor.lua("return log") == [["shown", first]]
    editor.lua("answer('')")
    editor.wait_text("Done.")
    editor.wait_state("idle")
    last = next(i for i, line in enumerate(editor.buffer[:]) if line.startswith("![")) + 1
    assert last > first
    log = editor.lua("return log")
    assert log[-1] == ["shown", last]
    assert [what for what, *_ in log].count("shown") == [what for what, *_ in log].count(
        "closed"
    ) + 1
    editor.command("OI undo")
    editor.wait(lambda: editor.lua("return log[#log][1]") == "closed", "the picture is gone")


def test_a_second_block_waits_as_well(editor: Editor, server: ThreadedServer) -> None:
    r"""`\a` runs the first and all that come."""
    server.enqueue(code("print(1)"), code("print(2)"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("\\a")
    editor.wait_text("Done.")
    assert editor.text().count("```output") == 2


def test_the_models_fences_are_told_from_the_buffers(
    editor: Editor, server: ThreadedServer
) -> None:
    """Code that holds a fence stands in a longer one, and is yanked whole."""
    source = "text = '''\n```\ninner\n```\n'''"
    server.enqueue(tool_call({"language": "python", "code": source}))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.nvim.current.window.cursor = (editor.buffer[:].index("inner") + 1, 0)
    editor.keys("yc")
    assert editor.nvim.funcs.getreg('"') == source + "\n"


def test_thinking_is_folded_once_it_has_led_to_something(
    editor: Editor, server: ThreadedServer
) -> None:
    """Its last words are shown before; the fold opens, and a file of the conversation has none."""
    thought = reasoning("First I divide.", "\n\nThen I round.")
    server.enqueue((thought + text("About 1.42.")).but(hold_after=2))
    editor.command("OIChat What's 34/24?")
    server.wait_held()
    editor.wait(lambda: "    First I divide. Then I round." in editor.buffer[:], "thinking")
    assert editor.hint().startswith("thinking")
    assert "thinking  gpt-4" in editor.screen()[0]
    server.release()
    editor.wait_state("idle")
    lines = editor.buffer[:]
    assert lines[2:5] == ["    First I divide.", "", "    Then I round."]
    assert editor.nvim.funcs.foldclosed(3) == 3
    assert editor.nvim.funcs.foldclosedend(3) == 5
    assert any("thought for 1 s (zo shows it)" in row for row in editor.screen())
    editor.keys("3GzoG")
    assert any("Then I round." in row for row in editor.screen())
    editor.command("write conversation.md")
    assert Path("conversation.md").read_text() == "> What's 34/24?\n\nAbout 1.42.\n"


def test_an_interrupt_while_the_model_thinks_leaves_nothing_of_it(
    editor: Editor, server: ThreadedServer
) -> None:
    server.enqueue((reasoning("Hm.") + text("never")).but(hold_after=1))
    editor.command("OIChat Hello")
    editor.wait_text("    Hm.")
    editor.keys("<C-c>")
    editor.wait_state("idle")
    assert editor.text().split() == [">", "Hello", "Interrupted."]


def test_without_the_option_there_is_no_thinking(editor: Editor, server: ThreadedServer) -> None:
    editor.setup(thinking=False)
    server.enqueue(reasoning("Hm.") + text("Hi."))
    editor.command("OIChat Hello")
    editor.wait_text("Hi.")
    editor.wait_state("idle")
    assert editor.text().split() == [">", "Hello", "Hi."]


def wait_for_words(editor: Editor, words: str) -> None:
    """Until the winbar and the last line say so."""
    editor.wait(lambda: words in editor.screen()[0], words)
    editor.wait(lambda: editor.hint().startswith(words), words)


def test_the_seconds_until_a_server_is_asked_again_are_counted_down(
    editor: Editor, server: ThreadedServer
) -> None:
    """The reason is shown as long as it is waited for."""
    server.enqueue(error(429, "Slow down.", headers={"retry-after": "3"}), text("Hi."))
    editor.command("OIChat Hello")
    editor.wait_text("Rate limited (HTTP 429: Slow down).")
    for seconds in (3, 2, 1):
        wait_for_words(editor, f"trying again in {seconds} s")
    editor.wait_text("Hi.")
    assert "Rate limited" not in editor.text()
