"""The table of variables that `%who` shows."""

from oi_daemon import magic
from oi_daemon.messages.shapes import VariableDict
from oi_daemon.terminal.printing import visible


def variable(name: str, type: str, preview: str, language: str = "python") -> VariableDict:
    return {"name": name, "type": type, "preview": preview, "language": language}


def test_data_has_a_line_each_and_definitions_one_for_all() -> None:
    frame = variable("frame", "DataFrame", "")
    frame |= {"shape": [1000, 1], "columns": [{"name": "price", "type": "float64"}]}
    shown = magic.table(
        [variable("x", "int", "5"), frame, variable("np", "module", "module numpy")], "", visible
    )
    assert shown.splitlines() == [
        "x      int        5",
        "frame  DataFrame  1,000 rows: price (float64)",
        "Modules, functions and classes: np",
    ]


def test_the_language_is_shown_where_there_are_several() -> None:
    shown = magic.table(
        [variable("x", "int", "5"), variable("y", "string", "'a'", "shell")], "", visible
    )
    assert shown.splitlines() == ["python  x  int     5", "shell   y  string  'a'"]


def test_no_control_character_reaches_the_terminal() -> None:
    assert "\x1b" not in magic.table([variable("\x1b[2J", "int", "\x1b]0;x\x07")], "", visible)
    assert magic.table([], "", visible) == "There are no variables."


def test_only_variables_with_a_wanted_beginning_are_listed() -> None:
    shown = magic.table([variable("x", "int", "5"), variable("y", "int", "6")], "y z", visible)
    assert shown == "y  int  6"
