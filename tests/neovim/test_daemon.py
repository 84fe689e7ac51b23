"""The daemon's process: found, started late, started again, ended; health and help."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.fakes.openai_server import ThreadedServer, text
from tests.neovim.editor import PLUGIN, Editor
from tests.processes import command_line
from tests.talk import code
from tests.wire_client import eventually


def daemon(editor: Editor) -> psutil.Process:
    """Of this editor."""
    neovim = psutil.Process(editor.lua("return vim.uv.os_getpid()"))
    (found,) = [c for c in neovim.children() if "oi-daemon" in " ".join(command_line(c))]
    return found


def test_nothing_is_started_before_it_is_needed(editor: Editor) -> None:
    neovim = psutil.Process(editor.lua("return vim.uv.os_getpid()"))
    assert neovim.children() == []
    loaded = editor.lua(
        "return vim.tbl_filter(function(n) return n:find('^oi%.') end,"
        " vim.tbl_keys(package.loaded))"
    )
    assert loaded == ["oi.config"]  # by `setup`


def test_after_a_crash_the_conversation_goes_on(editor: Editor, server: ThreadedServer) -> None:
    """It is said what happened; what was saved is there; the next question is answered."""
    server.enqueue(text("One."), code("print('go', flush=True)\nimport time\ntime.sleep(600)"))
    editor.command("OIChat first")
    editor.wait_state("idle")
    editor.command("OIChat second")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("```output\ngo")
    killed = daemon(editor)
    killed.kill()
    editor.wait_text("The daemon ended unexpectedly (signal 9).")
    editor.wait_state("idle")
    editor.wait_text("> second")
    assert "> first\n\nOne." in editor.text()
    server.enqueue(text("On."))
    editor.command("OIChat third")
    editor.wait_text("On.")
    assert daemon(editor).pid != killed.pid
    assert "first" in str(server.bodies[-1]["messages"])


def test_the_daemon_ends_with_neovim(editor: Editor, server: ThreadedServer) -> None:
    """Also in the middle of a block, and what the block started."""
    server.enqueue(code("import os\nprint(os.getpid(), flush=True)\nwhile True: pass"))
    editor.command("OIChat go")
    editor.wait_state("approval")
    editor.keys("<CR>")
    editor.wait_text("```output")
    family = [daemon(editor), *daemon(editor).children(recursive=True)]
    editor.close()
    eventually(lambda: not any(p.is_running() for p in family), "all processes end")


def test_the_daemon_ends_when_neovim_is_killed(editor: Editor, server: ThreadedServer) -> None:
    server.enqueue(text("Hi."))
    editor.command("OIChat hello")
    editor.wait_text("Hi.")
    family = [daemon(editor), *daemon(editor).children(recursive=True)]
    os.kill(editor.lua("return vim.uv.os_getpid()"), signal.SIGKILL)
    eventually(lambda: not any(p.is_running() for p in family), "all processes end")


def test_a_missing_daemon_is_told_in_the_conversation(
    bare_editor: Editor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare_editor.lua("vim.env.PATH = '/nowhere'")
    bare_editor.command("OIChat hello")
    bare_editor.wait_text("oi-daemon is neither in $VIRTUAL_ENV nor in $PATH. Install it")


def test_a_wrong_setting_is_told_in_the_conversation(bare_editor: Editor) -> None:
    bare_editor.setup(settings={"modle": "x"})
    bare_editor.command("OIChat hello")
    bare_editor.wait_text("modle")
    assert "did you mean model?" in bare_editor.text()


def test_checkhealth_is_clean_where_all_is_well(editor: Editor) -> None:
    editor.command("checkhealth oi")
    report = "\n".join(editor.nvim.current.buffer[:])
    assert "oi-daemon, version" in report
    assert "WARNING" not in report
    assert "ERROR" not in report


def test_checkhealth_says_what_to_do(bare_editor: Editor) -> None:
    bare_editor.command("checkhealth oi")
    report = "\n".join(bare_editor.nvim.current.buffer[:])
    assert "there is no key" in report
    assert "OPENAI_API_KEY" in report
    bare_editor.setup(cmd=["/nowhere/oi-daemon"])
    bare_editor.command("checkhealth oi")
    report = "\n".join(bare_editor.nvim.current.buffer[:])
    assert "ERROR The option cmd names /nowhere/oi-daemon" in report.replace("❌ ", "")


def test_help_has_tags_that_lead_somewhere(editor: Editor, tmp_path: Path) -> None:
    """Each command and key that there is has one."""
    help_file = tmp_path / "doc" / "oi.txt"
    help_file.parent.mkdir()
    help_file.write_text((PLUGIN / "doc" / "oi.txt").read_text())
    editor.command(f"helptags {help_file.parent}")
    tags = {line.split("\t")[0] for line in (help_file.parent / "tags").read_text().splitlines()}
    for name in editor.nvim.funcs.getcompletion("OI ", "cmdline"):
        assert f":OI-{name}" in tags
    for map_ in editor.nvim.api.get_keymap("n"):
        if "(oi-" in map_["lhs"]:
            assert map_["lhs"] in tags
    editor.command(f"set runtimepath+={tmp_path}")
    editor.command("help oi")
    assert editor.nvim.current.buffer.name.endswith("oi.txt")


def test_the_only_global_is_loaded_oi(editor: Editor, server: ThreadedServer) -> None:
    before = editor.lua("return vim.tbl_keys(_G)")
    server.enqueue(text("Hi."))
    editor.command("OIChat hello")
    editor.wait_text("Hi.")
    added = set(editor.lua("return vim.tbl_keys(_G)")) - set(before)
    assert added <= {"_"}  # Neovim's own, of its treesitter
    assert [n for n in editor.nvim.funcs.getcompletion("g:", "var") if "oi" in n] == ["g:loaded_oi"]
