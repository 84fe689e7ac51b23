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


def edit_as(editor: Editor, source: str) -> None:
    """Edit the block that waits."""
    editor.keys("e")
    editor.nvim.current.buffer[:] = source.split("\n")


def begin(editor: Editor, server: ThreadedServer, source: str = "print('mine')") -> None:
    """Ask, and get a block that waits."""
    server.enqueue(code(source), text("Done."))
    editor.command("OIChat go")
    editor.wait_state("approval")


def test_an_edited_block_runs_as_it_was_left(editor: Editor, server: ThreadedServer) -> None:
    """`e` opens its code alone, Enter runs it; the model is told what ran."""
    begin(editor, server)
    editor.keys("e")
    assert editor.nvim.current.buffer[:] == ["print('mine')"]
    assert any("<CR> run what is here  :q leave it" in row for row in editor.screen())
    editor.keys("ccprint('yours')<Esc>oprint('twice')<Esc><CR>")
    editor.wait_text("Done.")
    editor.wait_state("idle")
    assert "print('yours')\nprint('twice')\n```\n```output\nyours\ntwice\n```" in editor.text()
    assert "mine" not in editor.text()
    assert "yours" in str(server.bodies[1]["messages"])
    assert "mine" not in str(server.bodies[1]["messages"])
    assert editor.nvim.current.buffer.name == editor.buffer.name
    assert len(editor.nvim.windows) == 2


def test_a_block_is_edited_as_any_file_is(editor: Editor, server: ThreadedServer) -> None:
    """With its filetype and undo, and a name, which language servers want."""
    begin(editor, server)
    editor.keys("e")
    buffer = editor.nvim.current.buffer
    assert buffer.options["filetype"] == "python"
    assert buffer.options["buftype"] == ""
    assert buffer.name.endswith(".py")
    editor.keys("dGifoo<Esc>uu")
    assert buffer[:] == ["print('mine')"]
    assert not editor.buffer.options["modifiable"]


@pytest.mark.parametrize(
    "command",
    [
        *("write", "wall", "update", "doautoall BufWriteCmd", "normal! ZZ"),
        *("xit", "wq", "write other.py", "saveas other.py", "1write! >> other.py"),
        "autocmd TextChanged,BufLeave * ++nested silent! wall | normal! ~",
    ],
)
def test_saving_never_runs_an_edited_block(
    editor: Editor, server: ThreadedServer, command: str
) -> None:
    """From its window or another one; what was made of it is there when it is gone on with."""
    begin(editor, server)
    edit_as(editor, "print('yours')")
    editor.command(command)
    editor.command("wincmd p")
    editor.command("silent! wall")
    assert_waits(editor, "print('mine')")


def test_keys_that_save_never_run_an_edited_block(editor: Editor, server: ThreadedServer) -> None:
    """Nor does a macro or a repetition."""
    begin(editor, server)
    for keys in ("edwqqA # x<Esc>:w<CR>q@q..ZZ", "e.u:x<CR>", "e:w other.py<CR>:q!<CR>"):
        editor.keys(keys)
        assert_waits(editor, "print('mine')")
    assert "('mine') # x" in Path("other.py").read_text()


def test_a_draft_is_found_again_and_never_taken_for_the_block(
    editor: Editor, server: ThreadedServer
) -> None:
    """Enter in the conversation shows it, because it is not what stands there; then it runs."""
    begin(editor, server)
    edit_as(editor, "print('yours')")
    editor.command("close")
    editor.command("buffer oi://")
    editor.keys("<CR>")
    assert_waits(editor, "print('mine')")
    assert editor.nvim.current.buffer[:] == ["print('yours')"]
    editor.keys("<CR>")
    editor.wait_text("```output\nyours\n```")


def test_an_edit_that_comes_too_late_stays(editor: Editor, server: ThreadedServer) -> None:
    """The turn is stopped meanwhile: nothing is lost, and Enter is Vim's own again."""
    editor.lua("vim.notify = function(text) vim.g.shown = text end")
    begin(editor, server)
    edit_as(editor, "print('yours')")
    editor.command("OI stop")
    editor.wait_text("print('mine')\n```\n\nInterrupted.")
    editor.wait(lambda: "stays in its buffer" in editor.nvim.vars.get("shown", ""), "it is said")
    assert editor.nvim.current.buffer[:] == ["print('yours')"]
    editor.keys("<CR>")
    assert "```output" not in editor.text()


@pytest.mark.parametrize("command", ["OI run", "OI approve", "OI always"])
def test_an_edited_block_runs_by_a_command(
    editor: Editor, server: ThreadedServer, command: str
) -> None:
    begin(editor, server)
    edit_as(editor, "print('yours')")
    editor.command(command)
    editor.wait_text("```output\nyours\n```")


def test_a_block_runs_once_all_of_it_has_been_on_the_screen(
    editor: Editor, server: ThreadedServer
) -> None:
    """Enter shows what has not, a screen at a time; so does the command from another window."""
    editor.lua("vim.notify = function(text) vim.g.shown = text end")
    begin(editor, server, "\n".join(f"x{i} = {i}" for i in range(100)) + "\nprint(x99)")
    editor.command("wincmd p")
    editor.command("OI approve")
    assert "lines of it were not on the screen" in editor.nvim.vars["shown"]
    assert editor.nvim.current.line == "x0 = 0"
    presses = 0
    while editor.lua("return require('oi.conversation').latest().state") == "approval":
        assert "```output" not in editor.text()
        editor.keys("<CR>")
        presses += 1
    editor.wait_text("```output\n99\n```")
    assert presses == 2


def test_a_yes_at_the_moment_a_block_arrives_runs_nothing_unseen(
    editor: Editor, server: ThreadedServer
) -> None:
    """Before it is drawn."""
    editor.lua("""
        require("oi").on_chunk(function(params)
          if params.approval then
            vim.cmd("OI approve")
          end
        end)
    """)
    begin(editor, server, "\n".join(f"x{i} = {i}" for i in range(100)) + "\nprint(x99)")
    assert "```output" not in editor.text()


def test_a_block_that_was_scrolled_through_runs(editor: Editor, server: ThreadedServer) -> None:
    begin(editor, server, "\n".join(f"x{i} = {i}" for i in range(100)) + "\nprint(x99)")
    editor.keys("gg")
    for _ in range(6):
        editor.keys("<C-d>")
    editor.keys("<CR>")
    editor.wait_text("```output\n99\n```")


@pytest.mark.parametrize("command", ["write", "saveas"])
def test_a_conversation_is_written_to_a_file_as_markdown(
    editor: Editor, server: ThreadedServer, command: str
) -> None:
    """While a block waits; the buffer remains the conversation's."""
    server.enqueue(code("print('no')"), text("Then not."), code("print('mine')"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("x")
    editor.wait_state("idle")
    editor.command("OIChat again")
    editor.wait_state("approval")
    name = editor.buffer.name
    editor.command(f"{command} notes.md")
    editor.wait(lambda: editor.nvim.current.buffer.name == name, "the buffer has its name")
    written = Path("notes.md").read_text()
    assert written.startswith(
        "> go\n\n```python\nprint('no')\n```\n\n⊘ *status: declined*\n\nThen not."
    )
    assert written.endswith("> again\n\n```python\nprint('mine')\n```\n")
    assert_waits(editor, "print('mine')")
    with pytest.raises(NvimError, match="E13"):
        editor.command("write notes.md")


def test_ranges_and_appending_are_vims_own(editor: Editor, server: ThreadedServer) -> None:
    """A range of the lines that are shown; `>>` appends; `:w` alone says what it does."""
    begin(editor, server)
    editor.command("3,5write part.md")
    editor.command("1write >> part.md")
    assert Path("part.md").read_text() == "```python\nprint('mine')\n```\n> go\n"
    editor.command("write whole.md")
    editor.command("write >> whole.md")
    whole = "> go\n\n```python\nprint('mine')\n```\n"
    assert Path("whole.md").read_text() == whole + whole
    assert "has saved it" in editor.nvim.command_output("write")
    with pytest.raises(NvimError, match="was not written"):
        editor.command("write nowhere/notes.md")
    assert_waits(editor, "print('mine')")


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
    editor.keys("\\a")
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

    answers = {"<CR>", "e", "x", "\\a"}
    server.enqueue(code("1"), text("Done."))
    editor.command("OIChat go")
    assert not answers & mapped()
    editor.wait_state("approval")
    assert answers <= mapped()
    assert "a" not in mapped()
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
