"""The prompt: a buffer for a message, of as many lines as it takes."""

from pathlib import Path

from tests.fakes.openai_server import ThreadedServer, text
from tests.neovim.editor import Editor


def asked(server: ThreadedServer) -> str:
    """The words of the last request."""
    return str(server.bodies[-1]["messages"][-1]["content"])


def test_without_words_it_opens(editor: Editor, server: ThreadedServer) -> None:
    """Many lines are sent as one message, by Enter in Normal mode, and its window goes."""
    server.enqueue(text("Hi."))
    editor.command("OIChat")
    editor.keys("first<CR>second<Esc>")
    assert len(editor.nvim.windows) == 3
    editor.keys("<CR>")
    editor.wait_text("> first\n> second\n\nHi.")
    assert asked(server) == "first\nsecond"
    assert len(editor.nvim.windows) == 2
    assert editor.nvim.current.buffer.name == editor.buffer.name


def test_what_is_pasted_stays_whole(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("Hi."))
    editor.command("OIChat")
    editor.nvim.api.paste("one\ntwo\n\nthree", True, -1)
    editor.keys("<C-s>")
    editor.wait_text("Hi.")
    assert asked(server) == "one\ntwo\n\nthree"


def test_saving_and_leaving_send_nothing_and_lose_nothing(
    editor: Editor, server: ThreadedServer
) -> None:
    editor.command("OIChat")
    editor.keys("not yet<Esc>")
    editor.command("silent! wall | silent! write")
    editor.command("quit")
    editor.keys("i")
    assert editor.nvim.current.buffer[:] == ["not yet"]
    assert server.bodies == []


def test_what_was_sent_comes_back_by_arrows(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("1"), text("2"))
    for words in ("one", "two"):
        editor.command("OIChat")
        editor.keys(f"{words}<C-s>")
        editor.wait_text(f"> {words}\n")
        editor.wait_state("idle")
    prompt = []
    editor.keys("i")
    for key in ("<Up>", "<Up>", "<Up>", "<Down>", "<Down>"):
        editor.keys(key)
        prompt.append(editor.nvim.current.buffer[:][0])
    assert prompt == ["two", "one", "one", "two", ""]


def test_mentions_go_along(editor: Editor, server: ThreadedServer) -> None:
    """A file, the buffer, what was selected and the diagnostics in it; a name alone stays one."""
    Path("data.csv").write_text("a,b\n1,2\n")
    server.enqueue(text("Hi."))
    editor.command("edit work.py")
    editor.nvim.current.buffer[:] = ["import maths", "x = 1"]
    editor.keys("2GV<Esc>")
    editor.lua("""
        vim.diagnostic.set(vim.api.nvim_create_namespace("t"), 0, {
          { lnum = 0, col = 0, message = "no such module", severity = 1 },
        })
    """)
    editor.command("OIChat")
    editor.keys("me@example.org see @data.csv, @nothing #selection #diagnostics #buffer<C-s>")
    editor.wait_text("Hi.")
    words = asked(server)
    assert words.startswith(
        "me@example.org see @data.csv, @nothing #selection #diagnostics #buffer\n"
    )
    assert "\n\ndata.csv:\n```csv\na,b\n1,2\n```" in words
    assert "\n\nwork.py, line 2:\n```python\nx = 1\n```" in words
    assert "\n\nwork.py, diagnostics:\n```\nline 1: error: no such module\n```" in words
    assert "\n\nwork.py:\n```python\nimport maths\nx = 1\n```" in words
    assert words.count("```") == 8


def test_mentions_are_completed(editor: Editor) -> None:
    Path("data.csv").write_text("a")
    editor.command("OIChat")
    editor.keys("see @da<C-x><C-o><C-y> and #sel<C-x><C-o><C-y><Esc>")
    assert editor.nvim.current.line == "see @data.csv and #selection"


def test_a_range_stands_in_the_prompt(editor: Editor, server: ThreadedServer) -> None:
    """It can be read and changed before it is sent."""
    server.enqueue(text("Hi."))
    editor.command("edit work.py")
    editor.nvim.current.buffer[:] = ["x = 1", "y = 2"]
    editor.command("%OIChat")
    editor.keys("why?<C-s>")
    editor.wait_text("Hi.")
    assert asked(server) == "why?\n\nwork.py, lines 1-2:\n```python\nx = 1\ny = 2\n```"
