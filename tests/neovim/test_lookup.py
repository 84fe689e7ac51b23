"""What the live interpreter knows, in the editor; and an answer's code taken into a file."""

from tests.fakes.openai_server import ThreadedServer, text
from tests.neovim.editor import Editor


def test_variables_are_shown_as_they_are_after_each_turn(editor: Editor) -> None:
    editor.lua("require('oi').execute('python', 'prices = [1, 2, 3]', { focus = false })")
    editor.wait_text("prices")
    editor.wait_state("idle")
    editor.command("OI variables")
    editor.wait(lambda: "prices" in editor.nvim.current.line, "the variable")
    assert editor.nvim.current.line == "prices  list  3  [1, 2, 3]"
    editor.lua("require('oi').execute('python', 'n = 5', { focus = false })")
    editor.wait(lambda: len(editor.nvim.current.buffer) == 2, "the second variable")
    editor.command("quit")


def test_hover_and_completion_know_what_has_run(editor: Editor) -> None:
    """By Neovim's own client of language servers, in the file whose code has run."""
    editor.command("edit work.py")
    source = ["def total(prices, rate=1.0):", "    '''The sum.'''", "box = {'price': 1}", "tot"]
    editor.nvim.current.buffer[:] = source
    editor.command("set filetype=python")
    editor.command("1,3OI run")
    editor.wait(lambda: editor.lua("return #vim.lsp.get_clients({ name = 'oi' })"), "it attached")
    editor.wait_state("idle")
    editor.keys("G$")
    found = """
        local place = vim.lsp.util.make_position_params(0, "utf-16")
        return vim.json.encode(vim.lsp.buf_request_sync(0, ..., place) or {})
    """
    editor.keys("a")
    editor.wait(
        lambda: '"label":"total"' in editor.lua(found, "textDocument/completion"), "the name"
    )
    editor.keys("al(<Esc>0")
    editor.wait(lambda: "The sum." in editor.lua(found, "textDocument/hover"), "its documentation")


def test_an_answers_code_takes_the_place_of_what_it_was_asked_about(
    editor: Editor, server: ThreadedServer
) -> None:
    """As a diff first; Enter accepts it, as one change."""
    server.enqueue(text("So:\n\n```python\nb = 20\nbb = 21\n```\n"))
    editor.command("edit work.py")
    editor.nvim.current.buffer[:] = ["a = 1", "b = 2", "c = 3"]
    editor.command("2OIChat larger, please")
    editor.wait_text("bb = 21")
    editor.wait_state("idle")
    editor.keys("G")
    editor.command("OI apply")
    assert editor.nvim.current.buffer[:] == ["a = 1", "b = 20", "bb = 21", "c = 3"]
    assert all(window.options["diff"] for window in editor.nvim.current.tabpage.windows)
    work = next(b for b in editor.nvim.buffers if b.name.endswith("work.py"))
    assert work[:] == ["a = 1", "b = 2", "c = 3"]
    editor.keys("<CR>")
    assert work[:] == ["a = 1", "b = 20", "bb = 21", "c = 3"]
    assert len(editor.nvim.tabpages) == 1
