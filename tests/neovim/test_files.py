"""What code has done to files, in the editor: Vim's own diff mode, and undoing."""

from pathlib import Path

from tests.neovim.editor import Editor

CODE = "require('oi').execute('python', [[{}]], {{ focus = false }})"


def test_changed_files_are_shown_as_a_diff_and_undone(editor: Editor, tmp_path: Path) -> None:
    work = tmp_path / "files"
    work.mkdir()
    (work / "a.txt").write_text("one\ntwo\n")
    editor.lua(CODE.format("1 + 1"))
    editor.wait_text("2")
    editor.wait_state("idle")
    editor.lua(
        "require('oi.conversation').latest():send_settings({ keep_files = true, cwd = ... })",
        str(work),
    )
    editor.lua(CODE.format("open('a.txt', 'w').write('one\\nTWO\\n') and print('written')"))
    editor.wait_text("written")
    editor.wait_state("idle")
    editor.lua("vim.ui.select = function(items, _, choose) choose(items[1]) end")
    editor.command("OI files")
    editor.wait(lambda: editor.nvim.current.window.options["diff"], "the diff")
    shown = [list(window.buffer) for window in editor.nvim.current.tabpage.windows]
    assert shown == [["one", "two"], ["one", "TWO"]]
    editor.command("tabclose")
    editor.command("OI undo_files")
    editor.wait(lambda: (work / "a.txt").read_text() == "one\ntwo\n", "the undo")
    editor.command("OI redo_files")
    editor.wait(lambda: (work / "a.txt").read_text() == "one\nTWO\n", "the redo")
