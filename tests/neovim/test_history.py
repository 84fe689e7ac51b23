"""Conversations: resumed, undone, reset, several at once."""

from tests.fakes.openai_server import ThreadedServer, example, text
from tests.neovim.editor import Editor
from tests.talk import KEY, code


def test_undo_takes_back_the_last_question_and_its_answer(
    editor: Editor, server: ThreadedServer
) -> None:
    server.enqueue(text("One."), text("Two."))
    editor.command("OIChat first")
    editor.wait_state("idle")
    editor.command("OIChat second")
    editor.wait_text("Two.")
    editor.wait_state("idle")
    editor.command("OI undo")
    editor.wait(lambda: "second" not in editor.text(), "the question is gone")
    assert editor.text() == "> first\n\nOne.\n\n"


def test_reset_begins_anew(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("One."))
    editor.command("OIChat first")
    editor.wait_state("idle")
    editor.command("OI reset")
    editor.wait(lambda: editor.text() == "", "an empty conversation")


def test_a_saved_conversation_is_chosen_and_resumed(editor: Editor, server: ThreadedServer) -> None:
    """By vim.ui.select; what is shown is what was shown, and the model knows of it."""
    server.enqueue(*example(), text("On."))
    editor.command("OIChat What's 34/24?")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_state("idle")
    before = editor.text()
    editor.command("bwipeout!")
    editor.command("OI restart")
    editor.lua(
        "vim.ui.select = function(items, opts, done)"
        " vim.g.shown = vim.tbl_map(opts.format_item, items); done(items[1]) end"
    )
    editor.command("OI open")
    editor.wait_text("The result is")
    assert editor.text() == before
    assert "What's 34/24? (3 messages)" in editor.nvim.vars["shown"][0]
    editor.command("OIChat go on")
    editor.wait_text("On.")
    assert "34 / 24" in str(server.bodies[-1]["messages"])


def test_two_conversations_run_at_once(editor: Editor, server: ThreadedServer) -> None:
    """Each has its buffer, its variables and its turn."""
    server.enqueue(code("x = 'one'\nprint(x)"), code("print('x' in globals())"))
    editor.command("OIChat first")
    editor.wait_state("approval")
    first = editor.nvim.current.buffer
    editor.command("tab OIChat! second")
    editor.wait_state("approval")
    second = editor.nvim.current.buffer
    assert first.number != second.number
    assert len(editor.nvim.tabpages) == 2
    server.enqueue(text("Second done."))
    editor.keys("<CR>")
    editor.wait(lambda: "Second done." in "\n".join(second[:]), "the second ends")
    assert "False" in second[:]
    assert "output" not in "\n".join(first[:])
    server.enqueue(text("First done."))
    editor.command("tabprevious")
    editor.keys("<CR>")
    editor.wait(lambda: "First done." in "\n".join(first[:]), "the first ends")
    assert "one" in first[:]


def test_a_conversation_is_a_buffer_by_name(editor: Editor, server: ThreadedServer) -> None:
    """`:edit oi://ID` opens it, as sessions do."""
    server.enqueue(text("One."))
    editor.command("OIChat first")
    editor.wait_text("One.")
    editor.wait_state("idle")
    name = editor.nvim.current.buffer.name
    editor.command("bwipeout!")
    editor.command(f"edit {name}")
    editor.wait_text("> first\n\nOne.")


def test_a_window_or_buffer_can_go_at_any_moment(editor: Editor, server: ThreadedServer) -> None:
    """Closed, deleted or wiped while words stream: no error, and all of them when it is back."""
    editor.lua("vim.o.cmdheight = 2; vim.v.errmsg = ''")
    words = [f"word{i} " for i in range(400)]
    server.enqueue(text(*words).but(delay=0.01))
    editor.command("OIChat go")
    editor.wait_text("word3")
    latest = "require('oi.conversation').latest()"
    for gone in ("close", "bdelete!", "bwipeout!"):
        editor.command(gone)
        editor.wait(lambda: editor.lua(f"return {latest}.seq") % 5 == 0, "more has come")
        editor.command("OI open " + editor.lua(f"return {latest}.id"))
        editor.wait_text("word4")
        assert "i" in {m["lhs"] for m in editor.nvim.api.buf_get_keymap(0, "n")}
    editor.wait_state("idle")
    assert editor.text().split()[2:] == [word.strip() for word in words]
    assert "Error" not in editor.nvim.command_output("messages")


def test_an_error_stands_in_the_conversation(editor: Editor, server: ThreadedServer) -> None:
    """In whole sentences; asking again takes its place, and that of the words unheard."""
    editor.command("OIChat hello")
    editor.wait_state("idle")
    editor.wait_text("HTTP 400")
    assert editor.text().startswith("> hello\n\nThe server refused")
    server.enqueue(text("Hi."))
    editor.command("OIChat hello again")
    editor.wait_text("> hello again\n\nHi.")
    assert "HTTP 400" not in editor.text()
    assert editor.text().count("> hello") == 1


def test_a_session_restores_a_conversation(editor: Editor, server: ThreadedServer) -> None:
    """`:mksession` keeps its window; the next Neovim shows it there."""
    server.enqueue(text("One."), text("Two."))
    editor.command("OIChat first")
    editor.wait_text("One.")
    editor.wait_state("idle")
    editor.command("mksession session.vim")
    editor.command("bwipeout!")
    editor.command("OI restart")
    editor.command("source session.vim")
    editor.wait_text("> first\n\nOne.")
    assert len(editor.nvim.windows) == 2
    editor.command("OIChat second")
    editor.wait_text("> second\n\nTwo.")


def test_a_question_asked_while_the_history_is_read_stays(
    editor: Editor, server: ThreadedServer
) -> None:
    server.enqueue(text("One."), text("Two."))
    editor.command("OIChat first")
    editor.wait_text("One.")
    editor.wait_state("idle")
    name = editor.buffer.name
    editor.command("bwipeout!")
    editor.lua("package.loaded['oi.conversation'].latest():attach()")
    editor.command(f"edit {name} | OIChat second")
    editor.wait_text("> first\n\nOne.\n\n> second\n\nTwo.")


def test_what_was_read_before_a_crash_stays(editor: Editor, server: ThreadedServer) -> None:
    """Words and output that the daemon had not saved."""
    server.enqueue(text("Half of ", "an answer").but(hold_after=2))
    editor.command("OIChat go")
    editor.wait_text("Half of an answer")
    editor.lua("vim.uv.kill(vim.api.nvim_get_proc_children(vim.uv.os_getpid())[1], 'sigkill')")
    editor.wait_text("The daemon ended unexpectedly")
    editor.wait(
        lambda: not editor.lua("return require('oi.conversation').latest().is_loading"),
        "it is read",
    )
    editor.wait_state("idle")
    assert editor.text().startswith("> go\n\nHalf of an answer\n")


def test_a_cost_that_is_not_known_adds_nothing(editor: Editor, server: ThreadedServer) -> None:
    """It is null, which is a value of its own in Neovim 0.12."""
    server.enqueue(text("One."))
    editor.setup(settings={"api_base": server.url, "api_key": KEY, "model": "nobody-knows-it"})
    editor.command("OIChat first")
    editor.wait_text("One.")
    editor.wait_state("idle")
    assert editor.lua("return require('oi.conversation').latest().cost") == 0
    assert "rror" not in editor.nvim.command_output("messages")


def test_the_winbar_is_true_without_the_focus(editor: Editor, server: ThreadedServer) -> None:
    """So is a statusline elsewhere: nothing has to be redrawn by hand."""
    editor.command("set laststatus=2 statusline=%{v:lua.require'oi'.statusline()}")
    server.enqueue(text("One.").but(hold_after=0), text("Two."))
    editor.nvim.ui_attach(100, 40, rgb=True)
    bars = """
        local rows = {}
        for _, row in ipairs({ 1, vim.o.lines - 1 }) do
          rows[#rows + 1] = ""
          for column = 1, vim.o.columns do
            rows[#rows] = rows[#rows] .. vim.fn.screenstring(row, column)
          end
        end
        return table.concat(rows)
    """
    editor.command("OIChat first")
    editor.command("wincmd p")
    editor.wait(lambda: editor.lua(bars).count("waiting for gpt-4") >= 2, "both say so")
    server.wait_held()
    server.release()
    editor.wait(lambda: "waiting" not in editor.lua(bars), "neither says so")
