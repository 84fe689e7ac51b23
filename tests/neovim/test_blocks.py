"""What a person can do with a block: edit, skip, stop, answer its input."""

from pathlib import Path

import pytest
from pynvim import NvimError  # type: ignore[import-untyped]

from tests.fakes.openai_server import ThreadedServer, text
from tests.neovim.editor import Editor
from tests.talk import code


def assert_waits(editor: Editor, code: str) -> None:
    """The conversation's last block waits, with this code, and nothing was run."""
    editor.lua("require('oi.view').get(require('oi.conversation').latest()):draw()")
    assert editor.lua("return require('oi.conversation').latest().state") == "approval"
    assert f"```python\n{code}\n```\n" in editor.text()
    assert "```output" not in editor.text()


def test_an_edited_block_runs_as_it_was_left(editor: Editor, server: ThreadedServer) -> None:
    """`e` makes the fence editable, Enter runs it; the model is told what ran."""
    server.enqueue(code("print('mine')"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("e")
    assert editor.hint() == "<CR> run what is here  :e! undo the edit  "
    editor.keys("ccprint('yours')<Esc>oprint('twice')<Esc><CR>")
    editor.wait_text("Done.")
    editor.wait_state("idle")
    assert "print('yours')\nprint('twice')\n```\n```output\nyours\ntwice\n```" in editor.text()
    assert "mine" not in editor.text()
    assert "yours" in str(server.bodies[1]["messages"])
    assert "mine" not in str(server.bodies[1]["messages"])
    assert not editor.buffer.options["modifiable"]


def test_only_the_fence_is_editable(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("First:") + code("a = 1\nb = 2"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("e")
    editor.wait(lambda: editor.nvim.current.line == "a = 1", "the cursor is in the code")
    assert editor.buffer.options["modifiable"]
    editor.keys("k")
    editor.wait(lambda: not editor.buffer.options["modifiable"], "the fence is not editable")
    editor.keys("jj")
    editor.wait(lambda: editor.buffer.options["modifiable"], "the code is")


def test_an_edit_stays_within_the_fence(editor: Editor, server: ThreadedServer) -> None:
    """In Insert mode too; whatever is joined with the fence, the code is whole."""
    server.enqueue(text("First:") + code("print('a')\nprint('b')"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("ei<Up>")
    editor.wait(lambda: editor.nvim.current.line == "print('a')", "the cursor is in the code")
    editor.keys("# <Esc>jA<CR>print('c')<Esc>kkI<BS><Esc><CR>")
    editor.wait_text("Done.")
    assert "```python\n# print('a')\nprint('b')\nprint('c')\n```\n" in editor.text()
    assert "First:\n" in editor.text()
    assert "```output\nb\nc\n```" in editor.text()


def test_an_edit_can_be_undone_and_left(editor: Editor, server: ThreadedServer) -> None:
    """`u` works within it, and `:edit!` goes back to the block that waits."""
    server.enqueue(code("print('mine')"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    before = editor.text()
    editor.keys("edd")
    assert "mine" not in editor.text()
    editor.keys("u")
    assert "mine" in editor.text()
    editor.keys("dGifoo<Esc>:e!<CR>")
    assert editor.text() == before
    editor.wait(lambda: "<CR> run" in editor.hint(), "it waits again")
    editor.keys("<CR>")
    editor.wait_text("mine\n```\n\nDone.")


def test_an_edit_ends_with_its_turn(editor: Editor, server: ThreadedServer) -> None:
    """Stopped meanwhile, the conversation is shown as it is."""
    server.enqueue(code("print('mine')"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("eccprint('yours')<Esc>")
    editor.command("OI stop")
    editor.wait_text("print('mine')\n```\n\nInterrupted.")
    assert not editor.buffer.options["modifiable"]


@pytest.mark.parametrize("command", ["write", "wall", "update", "doautocmd BufWriteCmd"])
def test_saving_never_runs_an_edited_block(
    editor: Editor, server: ThreadedServer, command: str
) -> None:
    """From the conversation's window or another one: it goes on waiting, as it was edited."""
    server.enqueue(code("print('mine')"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("eccprint('yours')<Esc>")
    editor.command(command)
    editor.command("wincmd p")
    editor.command("wall")
    assert_waits(editor, "print('yours')")
    editor.command("OI approve")
    editor.wait_text("```output\nyours\n```")


def test_the_edited_block_is_not_said_to_be_saved(editor: Editor, server: ThreadedServer) -> None:
    editor.lua("vim.notify = function(text) vim.g.shown = text end")
    server.enqueue(code("print('mine')"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("eccprint('yours')<Esc>:w<CR>")
    assert "was not run" in editor.nvim.vars["shown"]
    assert editor.buffer.options["modified"]


@pytest.mark.parametrize("command", ["write", "saveas"])
def test_a_conversation_is_written_to_a_file_as_markdown(
    editor: Editor, server: ThreadedServer, command: str
) -> None:
    """While a block waits that is being edited; the buffer remains the conversation's."""
    server.enqueue(code("print('no')"), text("Then not."), code("print('mine')"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("x")
    editor.wait_state("idle")
    editor.command("OIChat again")
    editor.wait_state("approval")
    editor.keys("eccprint('yours')<Esc>")
    name = editor.buffer.name
    editor.command(f"{command} notes.md")
    editor.wait(lambda: editor.nvim.current.buffer.name == name, "the buffer has its name")
    written = Path("notes.md").read_text()
    assert written.startswith(
        "> go\n\n```python\nprint('no')\n```\n\n⊘ *status: declined*\n\nThen not."
    )
    assert written.endswith("> again\n\n```python\nprint('mine')\n```\n")
    assert_waits(editor, "print('yours')")
    with pytest.raises(NvimError, match="E13"):
        editor.command("write notes.md")


def test_leaving_an_edit_runs_nothing(editor: Editor, server: ThreadedServer) -> None:
    """Its window is closed while others are there: the block still waits."""
    server.enqueue(code("print('mine')"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("eccprint('yours')<Esc>")
    editor.command("wq")
    assert_waits(editor, "print('yours')")


@pytest.mark.parametrize("command", ["OI run", "OI approve", "OI always"])
def test_an_edited_block_runs_by_a_command(
    editor: Editor, server: ThreadedServer, command: str
) -> None:
    server.enqueue(code("print('mine')"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("eccprint('yours')<Esc>")
    editor.command(command)
    editor.wait_text("```output\nyours\n```")


def test_run_answers_for_the_block_that_waits(editor: Editor, server: ThreadedServer) -> None:
    """`:OI run` in it is the same as Enter."""
    server.enqueue(code("print('mine')"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.nvim.current.window.cursor = (editor.buffer[:].index("print('mine')") + 1, 0)
    editor.command("OI run")
    editor.wait_text("```output\nmine\n```\n\nDone.")


def test_always_is_shown_and_can_be_taken_back(editor: Editor, server: ThreadedServer) -> None:
    """`:OI ask` and a reset end it; the winbar shows it while it is on."""
    server.enqueue(code("print(1)"), code("print(2)"), text("Done."), code("print(3)"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    assert "always" not in editor.screen()[0]
    editor.keys("a")
    editor.wait_text("Done.")
    editor.wait(lambda: "always runs" in editor.screen()[0], "the winbar shows it")
    editor.command("OI ask")
    editor.wait(lambda: "always" not in editor.screen()[0], "the winbar shows it no longer")
    editor.command("OIChat again")
    editor.wait_state("approval")


def test_keys_of_answers_are_vims_own_while_nothing_waits(
    editor: Editor, server: ThreadedServer
) -> None:
    def mapped() -> set[str]:
        return {m["lhs"] for m in editor.nvim.api.buf_get_keymap(editor.buffer, "n")}

    answers = {"<CR>", "e", "x", "a"}
    server.enqueue(code("1"), text("Done."))
    editor.command("OIChat go")
    assert not answers & mapped()
    editor.wait_state("approval")
    assert answers <= mapped()
    editor.keys("<CR>")
    editor.wait_state("idle")
    assert not answers & mapped()


def test_a_skipped_block_is_marked(editor: Editor, server: ThreadedServer) -> None:
    """And still is when the conversation is read again."""
    server.enqueue(code("print('no')"), text("Then not."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("x")
    editor.wait_text("Then not.")
    editor.wait_state("idle")
    assert "```output" not in editor.text()
    assert any("⊘ python · declined" in row for row in editor.screen())
    name = editor.buffer.name
    editor.command("bwipeout!")
    editor.command("OI restart")
    editor.command(f"edit {name}")
    editor.wait(lambda: any("⊘ python · declined" in row for row in editor.screen()), "the mark")


def test_stop_ends_the_turn_without_running(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(code("print('no')"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<C-c>")
    editor.wait_text("Interrupted.")
    editor.wait_state("idle")
    assert len(server.bodies) == 1


def test_stop_interrupts_what_runs_and_state_is_kept(
    editor: Editor, server: ThreadedServer
) -> None:
    server.enqueue(code("x = 41\nimport time\nprint('go', flush=True)\ntime.sleep(600)"))
    server.enqueue(code("print(x + 1)"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("```output\ngo")
    editor.keys("<C-c>")
    editor.wait_text("Interrupted.")
    editor.wait_state("idle")
    editor.command("OIChat and on")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("```output\n42\n```")


def test_input_is_asked_by_vim_ui_input(editor: Editor, server: ThreadedServer) -> None:
    editor.lua("vim.ui.input = function(o, done) vim.g.asked = o.prompt; done('Ada') end")
    server.enqueue(code("print('Hello', input('Name: '))"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("Hello Ada")
    assert editor.nvim.vars["asked"] == "Name: "


def test_leaving_the_prompt_is_the_end_of_input(editor: Editor, server: ThreadedServer) -> None:
    editor.lua("vim.ui.input = function(o, done) done(nil) end")
    source = "try: input('Name: ')\nexcept EOFError: print('nobody')"
    server.enqueue(code(source), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("```output\nnobody\n```")


def test_no_prompt_comes_up_in_the_command_line(editor: Editor, server: ThreadedServer) -> None:
    """Nor in Insert or Visual mode: it comes once the person is back in Normal mode."""
    editor.lua("vim.ui.input = function(o, done) vim.g.asked = true; done('Bob') end")
    server.enqueue(code("print('Hello', input('Name: '))"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("V")
    editor.command("OI approve")
    editor.wait_state("input")
    assert "<CR> answer" in editor.hint()
    assert editor.lua("return vim.g.asked") is None
    editor.keys("<Esc>")
    editor.wait_text("Hello Bob")


def test_a_prompt_never_comes_up_while_somebody_types(
    editor: Editor, server: ThreadedServer
) -> None:
    """In another window in Insert mode nothing is asked; coming to the conversation asks."""
    editor.lua("vim.ui.input = function(o, done) vim.g.asked = true; done('Eve') end")
    server.enqueue(code("print('Hello', input('Name: '))"), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<C-w>p")
    editor.nvim.feedkeys("itext", "n")
    editor.command("OI approve")
    editor.wait_state("input")
    editor.nvim.feedkeys(" more", "n")
    assert editor.lua("return vim.g.asked") is None
    editor.keys("<Esc><C-w>p")
    editor.wait_text("Hello Eve")


def test_a_password_is_asked_hidden(editor: Editor, server: ThreadedServer) -> None:
    editor.lua("vim.fn.inputsecret = function(prompt) vim.g.asked = prompt; return 'hush' end")
    source = "import getpass\nprint(len(getpass.getpass('Key: ')))"
    server.enqueue(code(source), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("```output\n4\n```")
    assert editor.nvim.vars["asked"] == "Key: "
    assert "hush" not in editor.text()


def test_a_block_that_failed_is_marked_and_written_as_such(
    editor: Editor, server: ThreadedServer, tmp_path: Path
) -> None:
    """On the fence of its output, and in the file."""
    server.enqueue(code("1 / 0"), text("Sorry."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("Sorry.")
    editor.wait_state("idle")
    editor.wait(lambda: any("output · ✗ failed" in line for line in editor.screen()), "the mark")
    editor.command(f"write {tmp_path / 'failed.md'}")
    assert "\n✗ *status: error*\n" in (tmp_path / "failed.md").read_text("utf-8")
