"""The commands, the Lua API and the keys."""

from tests.fakes.openai_server import ThreadedServer, error, text
from tests.neovim.editor import Editor
from tests.talk import code


def test_a_selection_goes_along_with_its_file(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("A loop."))
    editor.command("edit work.py")
    editor.nvim.current.buffer[:] = ["import math", "for i in range(3):", "    print(i)"]
    editor.command("set filetype=python")
    editor.nvim.current.window.cursor = (2, 0)
    editor.keys("Vj:OIChat what is this?<CR>")
    editor.wait_text("A loop.")
    asked = server.bodies[0]["messages"][-1]["content"]
    assert asked == (
        "what is this?\n\nwork.py, lines 2-3:\n```python\nfor i in range(3):\n    print(i)\n```"
    )


def test_modifiers_place_the_window(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("Hi."))
    editor.command("topleft OIChat hello")
    window = editor.nvim.current.window
    assert window.row <= 1
    assert window.width == 100
    editor.wait_text("Hi.")


def test_run_sends_a_range(editor: Editor) -> None:
    """And the cursor stays in the file."""
    editor.command("edit work.py")
    editor.nvim.current.buffer[:] = ["x = 6", "print(x * 7)"]
    editor.command("set filetype=python")
    editor.command("%OI run")
    editor.wait_text("```output\n42\n```")
    assert editor.nvim.current.buffer.name.endswith("work.py")


def test_run_sends_the_fence_under_the_cursor(editor: Editor) -> None:
    editor.command("edit notes.md")
    editor.nvim.current.buffer[:] = ["# Notes", "```sh", "echo a-$((6*7))", "```", "Text"]
    editor.nvim.current.window.cursor = (3, 0)
    editor.command("OI run")
    editor.wait_text("a-42")


def test_run_takes_the_language_of_the_fence_that_a_range_is_in(editor: Editor) -> None:
    editor.command("edit notes.md")
    editor.nvim.current.buffer[:] = ["```sh", "echo no", "echo a-$((6*7))", "```"]
    editor.command("3OI run")
    editor.wait_text("a-42")
    assert "echo no" not in editor.text()


def test_a_selection_that_holds_a_fence_stands_in_a_longer_one(
    editor: Editor, server: ThreadedServer
) -> None:
    server.enqueue(text("A fence."))
    editor.command("edit notes.md")
    editor.nvim.current.buffer[:] = ["```sh", "ls", "```"]
    editor.command("set filetype=markdown")
    editor.command("%OIChat what is this?")
    editor.wait_text("A fence.")
    asked = server.bodies[0]["messages"][-1]["content"]
    assert asked.endswith("````markdown\n```sh\nls\n```\n````")


def test_run_says_what_it_needs(editor: Editor) -> None:
    editor.lua("vim.notify = function(text) vim.g.shown = text end")
    editor.command("OI run")
    assert "give a range" in editor.nvim.vars["shown"]


def test_subcommands_are_completed(editor: Editor) -> None:
    found = editor.nvim.funcs.getcompletion("OI re", "cmdline")
    assert found == ["redo_files", "reset", "restart"]
    every = editor.nvim.funcs.getcompletion("OI ", "cmdline")
    named = [
        "run",
        "approve",
        "skip",
        "stop",
        "always",
        "ask",
        "new",
        "open",
        "undo",
        "reset",
        "model",
        "restart",
        "log",
    ]
    assert set(named) <= set(every)


def test_an_unknown_subcommand_is_named(editor: Editor) -> None:
    editor.lua("vim.notify = function(text) vim.g.shown = text end")
    editor.command("OI dance")
    assert "there is no :OI dance" in editor.nvim.vars["shown"]


def test_model_is_set_and_shown(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("Hi."), text("Ho."))
    editor.command("OIChat hello")
    editor.wait_state("idle")
    editor.command("OI model gpt-4o-mini")
    editor.wait(lambda: "gpt-4o-mini" in editor.screen()[0], "the winbar has it")
    editor.command("OIChat hello")
    editor.wait_text("Ho.")
    assert server.bodies[-1]["model"] == "gpt-4o-mini"


def test_models_that_are_known_are_offered(editor: Editor, server: ThreadedServer) -> None:
    """By vim.ui.select: those that the server lists, whether it was asked before or not."""
    offered = ["gpt-4", "gpt-4o-mini"]
    server.enqueue(
        error(404, "The model `gpt-4` does not exist", code="model_not_found"), text("Ho.")
    )
    editor.command("OIChat hello")
    editor.wait_text("`:OI model` chooses one")
    editor.wait_state("idle")
    editor.lua("""
        vim.ui.select = function(items, opts, done)
          vim.g.shown = vim.tbl_map(opts.format_item, items)
          done(items[2])
        end
    """)
    editor.command("OI model")
    editor.wait(lambda: "gpt-4o-mini" in editor.screen()[0], "the winbar has it")
    assert editor.nvim.vars["shown"] == [*offered, "another, by its name"]
    editor.command("OIChat hello")
    editor.wait_text("Ho.")
    assert server.bodies[-1]["model"] == "gpt-4o-mini"


def test_a_model_is_named_where_none_is_known(editor: Editor, server: ThreadedServer) -> None:
    server.set_models([])
    editor.lua("vim.ui.input = function(o, done) done('gpt-4o') end")
    editor.command("OI open new")
    editor.command("OI model")
    editor.wait(lambda: "gpt-4o" in editor.screen()[0], "the winbar has it")


def test_a_question_during_a_turn_waits_for_its_end(editor: Editor, server: ThreadedServer) -> None:
    """It is shown as such, and asked then."""
    server.enqueue(code("1"), text("First."), text("Second."))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.command("OIChat and then?")
    editor.wait_text("> and then?")
    assert any("> and then? waits for the turn's end" in row for row in editor.screen())
    assert len(server.bodies) == 1
    editor.keys("<CR>")
    editor.wait_text("First.\n\n> and then?\n\nSecond.")
    assert server.bodies[-1]["messages"][-1]["content"] == "and then?"
    assert not any("waits for" in row for row in editor.screen())


def test_what_waited_for_a_turn_that_was_stopped_can_be_edited(
    editor: Editor, server: ThreadedServer
) -> None:
    """It is not sent by itself: the prompt has it."""
    server.enqueue(code("1"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.command("OIChat and then?")
    editor.command("OI stop")
    editor.wait_text("Interrupted.\n\n> and then?")
    editor.wait_state("idle")
    editor.keys("i")
    assert editor.nvim.current.buffer[:] == ["and then?"]
    editor.wait(lambda: "> and then?" not in editor.text(), "it is in the prompt alone")
    assert len(server.bodies) == 1


def test_a_message_needs_no_key_to_go_on(editor: Editor) -> None:
    """It is cut to one line."""
    editor.lua("vim.notify = function(text) vim.g.shown = text end")
    editor.lua("require('oi.notify')(('word '):rep(100))")
    assert len(editor.nvim.vars["shown"]) < 90


def test_motions_go_between_turns(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("1"), text("2"))
    for words in ("one", "two"):
        editor.command(f"OIChat {words}")
        editor.wait_text(f"> {words}")
        editor.wait_state("idle")
    editor.keys("G[[")
    assert editor.nvim.current.line == "> two"
    editor.keys("[[")
    assert editor.nvim.current.line == "> one"
    editor.keys("]]")
    assert editor.nvim.current.line == "> two"


def test_the_lua_api_and_its_events(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(code("print(1)"), text("Done."))
    editor.lua("""
        chunks, events, ended = 0, 0, nil
        stop = require("oi").on_chunk(function(params) chunks = chunks + 1 end)
        vim.api.nvim_create_autocmd("User", { pattern = "OIChunk",
          callback = function(event) events = events + (event.data.seq and 1 or 0) end })
        vim.api.nvim_create_autocmd("User", { pattern = "OITurnEnd",
          callback = function(event) ended = event.data end })
    """)
    conversation = editor.lua("return require('oi').chat('go', { new = true })")
    editor.wait_state("approval")
    assert editor.lua("return require('oi').statusline()") == "oi: waiting for your yes"
    editor.lua("stop()")
    before = editor.lua("return chunks")
    assert before > 0
    editor.keys("<CR>")
    editor.wait(lambda: editor.lua("return ended"), "the end of the turn")
    assert editor.lua("return ended") == {"conversation": conversation, "status": "done"}
    assert editor.lua("return chunks") == before
    assert editor.lua("return events") > before
    assert editor.lua("return require('oi').statusline()") == ""
    editor.lua("require('oi').execute('python', 'print(6 * 7)')")
    editor.wait_text("```output\n42\n```")


def test_plug_maps_are_there(editor: Editor) -> None:
    names = {m["lhs"] for m in editor.nvim.api.get_keymap("n") if "(oi-" in m["lhs"]}
    assert {"<Plug>(oi-chat)", "<Plug>(oi-approve)", "<Plug>(oi-next)"} <= names


def test_highlight_groups_link_to_standard_ones(editor: Editor, server: ThreadedServer) -> None:
    """And a person's own win, before and after a colour scheme."""
    server.enqueue(text("Hi."))
    editor.command("highlight OIWords guifg=#123456")
    editor.command("OIChat hello")
    editor.wait_text("Hi.")
    assert editor.nvim.api.get_hl(0, {"name": "OIActiveLine"})["link"] == "Visual"
    assert editor.nvim.api.get_hl(0, {"name": "OIWords"}).get("fg") == 0x123456
    editor.command("colorscheme habamax")
    assert editor.nvim.api.get_hl(0, {"name": "OIActiveLine"})["link"] == "Visual"
