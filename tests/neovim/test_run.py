"""Code run where it is written: what it writes stands beside it."""

import re

from tests.fakes.openai_server import ThreadedServer, text
from tests.neovim.editor import Editor
from tests.talk import code


def write(editor: Editor, name: str, source: str) -> None:
    editor.command(f"edit {name}")
    editor.nvim.current.buffer[:] = source.split("\n")
    editor.command("filetype detect")


def beside(editor: Editor) -> dict[int, str]:
    """What stands beside the lines of the buffer, by the number of the line it is below."""
    namespace = editor.nvim.api.create_namespace("oi.run")
    found: dict[int, str] = {}
    for _, row, _, details in editor.nvim.api.buf_get_extmarks(
        0, namespace, 0, -1, {"details": True}
    ):
        lines = ["".join(part[0] for part in line) for line in details.get("virt_lines", [])]
        words = "".join(part[0] for part in details.get("virt_text", []))
        if words and "line_hl_group" not in details:
            words = re.sub(r"^\d+ s$", "✓", words.strip())  # on a slow machine
            found[row + 1] = "\n".join([words, *(line.lstrip("▏") for line in lines)])
    return found


def wait_beside(editor: Editor, wanted: dict[int, str]) -> None:
    editor.wait(lambda: beside(editor) == wanted, f"beside the code: {wanted}")


CELLS = "# %% one\nx = 6\n\n# %% [markdown]\n# Words.\n# %%\nprint(x * 7)\nprint('end')\n"


def test_a_cell_runs_and_shows_what_it_writes(editor: Editor) -> None:
    """In its place, in the colours that it has; no window opens."""
    write(editor, "work.py", CELLS)
    editor.command("2 | OI run")
    wait_beside(editor, {2: "✓"})
    editor.keys("G")
    editor.command("OI run")
    wait_beside(editor, {2: "✓", 8: "✓\n42\nend"})
    assert len(editor.nvim.windows) == 1
    assert any(row.strip() == "▏42" for row in editor.screen())
    assert editor.nvim.current.buffer[:] == CELLS.split("\n")


def test_all_cells_run_in_their_order_until_one_fails(editor: Editor) -> None:
    """The error is a diagnostic on the line that raised it."""
    write(editor, "work.py", "# %%\nx = 1\n# %%\nprint(x)\n1 / 0\n# %%\nprint('never')\n")
    editor.command("OI all")
    editor.wait(lambda: "✗ failed" in beside(editor).get(5, ""), "the second cell failed")
    (diagnostic,) = editor.wait(lambda: editor.lua("return vim.diagnostic.get(0)"), "a diagnostic")
    assert diagnostic["lnum"] == 4
    assert diagnostic["message"] == "ZeroDivisionError: division by zero"
    assert beside(editor).keys() == {2, 5}
    editor.nvim.current.buffer[4:5] = ["print(2)"]
    editor.command("4 | OI run")
    wait_beside(editor, {2: "✓", 5: "✓\n1\n2"})
    assert editor.lua("return vim.diagnostic.get(0)") == []


def test_the_active_line_is_marked_in_the_file(editor: Editor) -> None:
    write(editor, "work.py", "import time\ntime.sleep(60)")
    editor.command("OI run")
    editor.wait(lambda: any("▶ time.sleep(60)" in row for row in editor.screen()), "the sign")
    editor.command("OI stop")
    editor.wait(lambda: "interrupted" in beside(editor).get(2, ""), "it was interrupted")
    assert not any("▶" in row for row in editor.screen())


def test_fences_of_quarto_and_markdown_are_cells(editor: Editor) -> None:
    """With braces or without, of tildes, indented; `]]` goes through them by its command."""
    source = (
        "# T\n```{python}\nprint(1)\n```\n- x\n  ~~~python\n  if True:\n      print(2)\n  ~~~\n"
    )
    write(editor, "notes.md", source)
    editor.command("OI all")
    wait_beside(editor, {3: "✓\n1", 8: "✓\n2"})
    editor.keys("gg")
    for line in (3, 7):
        editor.command("OI next")
        assert editor.nvim.current.window.cursor[0] == line
    editor.command("OI previous")
    assert editor.nvim.current.window.cursor[0] == 3


def test_an_operator_runs_what_a_motion_covers(editor: Editor) -> None:
    """Lines, or a part of one."""
    editor.command("map ,r <Plug>(oi-operator)")
    write(editor, "work.py", "print(1)\nprint(2)\n\nno + len('abc')")
    editor.keys("gg,rip")
    wait_beside(editor, {2: "✓\n1\n2"})
    editor.keys("G0fl,r$")
    editor.wait(lambda: beside(editor).get(4) == "✓\n3", "the value of the part")


def test_it_runs_in_the_conversation_that_the_model_works_in(
    editor: Editor, server: ThreadedServer
) -> None:
    """During a turn it waits for its end."""
    server.enqueue(code("x = 5"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.command("wincmd p")
    write(editor, "work.py", "print(x)")
    editor.command("OI run")
    wait_beside(editor, {1: "waits for the turn's end"})
    editor.command("OI approve")
    wait_beside(editor, {1: "✓\n5"})


def test_long_output_is_cut_and_shown_in_a_float(editor: Editor) -> None:
    write(editor, "work.py", "for i in range(50): print(i)")
    editor.command("OI run")
    editor.wait(lambda: "··· 30 more lines" in beside(editor).get(1, ""), "it is cut")
    editor.command("OI output")
    assert len(editor.nvim.current.buffer) == 50
    editor.keys("q")
    editor.command("OI clear")
    assert beside(editor) == {}
