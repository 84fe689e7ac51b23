"""Conversations in the daemon that all clients share: left, found again, shown by several."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.neovim.editor import Editor
from tests.server import shared
from tests.talk import KEY, code, ready
from tests.wire_client import WireClient

NewEditor = Callable[[], Editor]
WAITS = "import os, time\nx = 21\nprint('begun')\nwhile not os.path.exists('go'): time.sleep(0.01)"


@pytest.fixture
def new_editor(
    bare_editor: Editor, server: ThreadedServer, request: pytest.FixtureRequest
) -> Iterator[NewEditor]:
    """Starts one more editor, of the same version, that uses the shared daemon."""
    program = request.node.callspec.params["bare_editor"]
    editors = [bare_editor]

    def start() -> Editor:
        editor = Editor(program)
        editors.append(editor)
        editor.setup(shared=True, settings={"api_base": server.url, "api_key": KEY})
        return editor

    with shared.stopped_at_the_end():
        yield start
        for editor in editors:
            editor.close()


def killed(editor: Editor) -> str:
    """Kill an editor, which shows one conversation; the conversation's id."""
    name: str = editor.buffer.name
    os.kill(editor.nvim.funcs.getpid(), signal.SIGKILL)
    editor.close()
    return name.rpartition("oi://")[2]


def test_a_block_runs_on_and_is_followed_again(
    new_editor: NewEditor, server: ThreadedServer, home: Path
) -> None:
    """The editor is killed in the midst of a block."""
    server.enqueue(code(WAITS), text("Done."))
    editor = new_editor()
    editor.command("OIChat do it")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("begun")
    id = killed(editor)

    again = new_editor()
    again.command(f"OI open {id}")
    again.wait_text("begun")
    again.wait_state("running")
    items = "require('oi.conversation').latest().fold.items"
    assert again.lua(f"return {items}[#{items}].active_line") == 4
    (home / "go").touch()
    again.wait_text("Done.")
    again.wait_state("idle")
    assert again.text().startswith("> do it\n")
    server.enqueue(code("x * 2"), text("It is there."))
    again.command("OIChat and now")
    again.wait_state("approval")
    again.keys("<CR>")
    again.wait_text("It is there.")
    assert "42" in again.text().splitlines()


def test_a_question_waits_and_is_asked_again(new_editor: NewEditor, server: ThreadedServer) -> None:
    server.enqueue(code("print('ran')"), text("Done."))
    editor = new_editor()
    editor.command("OIChat do it")
    editor.wait_state("approval")
    id = killed(editor)

    again = new_editor()
    again.lua(
        "vim.ui.select = function(items, opts, done)"
        " vim.g.shown = vim.tbl_map(opts.format_item, items); done(items[1]) end"
    )
    again.command("OI open")
    again.wait(lambda: again.buffer, "the conversation is shown")
    again.wait_state("approval")
    assert again.nvim.vars["shown"][0].endswith("approval")
    assert again.buffer.name.endswith(id)
    again.keys("<CR>")
    again.wait_text("Done.")
    assert "ran" in again.text().splitlines()


def test_two_editors_show_the_same_and_the_first_answer_counts(
    new_editor: NewEditor, server: ThreadedServer
) -> None:
    server.enqueue(code("print('ran')"), text("Done."))
    first, second = new_editor(), new_editor()
    first.command("OIChat do it")
    first.wait_state("approval")
    second.command(f"OI open {first.buffer.name.rpartition('oi://')[2]}")
    second.wait_state("approval")
    second.keys("<CR>")
    for editor in (first, second):
        editor.wait_text("Done.")
        editor.wait_state("idle")
    assert first.text() == second.text()

    server.enqueue(text("Asked there."))
    second.command("OIChat more")
    first.wait_text("Asked there.")
    first.wait_state("idle")
    assert first.text() == second.text()
    first.command("OI undo")
    second.wait(lambda: "more" not in second.text(), "the question is gone there too")


def test_an_interrupt_from_elsewhere_ends_the_turn_here(
    new_editor: NewEditor, server: ThreadedServer
) -> None:
    server.enqueue(code(WAITS))
    editor = new_editor()
    editor.command("OIChat do it")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("begun")
    with shared.client() as other:
        conversation = initialized(other, editor)
        assert other.result("oi/interrupt", {"conversation": conversation})["interrupted"]
        editor.wait_state("idle")
        editor.wait_text("Interrupted.")


def test_words_wait_if_another_client_was_faster(
    new_editor: NewEditor, server: ThreadedServer
) -> None:
    server.enqueue(text("First."), code("print('theirs')"), text("Theirs."), text("Mine."))
    editor = new_editor()
    editor.command("OIChat begin")
    editor.wait_text("First.")
    editor.wait_state("idle")
    with shared.client() as other:
        conversation = initialized(other, editor)
        ready(other, server.url, conversation)
        turn = other.send("oi/stream", {"conversation": conversation, "message": "theirs"})
        editor.wait_state("approval")
        editor.command("OIChat mine")
        editor.keys("<CR>")
        other.answer(turn)
    editor.wait_text("Mine.")
    assert editor.text().index("theirs") < editor.text().index("> mine")


def initialized(client: WireClient, editor: Editor) -> str:
    """Greet the daemon as a further client; the id of the editor's conversation."""
    client.result("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
    name: str = editor.buffer.name
    return name.rpartition("oi://")[2]
