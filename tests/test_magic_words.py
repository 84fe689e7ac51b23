"""The table of variables that `%who` shows."""

import pytest

from oi_daemon import magic
from oi_daemon.errors import InvalidError
from oi_daemon.messages.shapes import MessageDict, VariableDict
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


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("!ls -l", ("shell", "ls -l")),
        ("! ls", ("shell", "ls")),
        ("%% 1 + 1", ("python", "1 + 1")),
        ("%%\nif x:\n    y", ("python", "if x:\n    y")),
        ("%%javascript\n1 + 1", ("javascript", "1 + 1")),
        ("%%r 1 + 1", ("r", "1 + 1")),
        ("%%", ("python", "")),
        ("%who", None),
        ("What is !ls?", None),
    ],
)
def test_a_block_of_ones_own(text: str, block: tuple[str, str] | None) -> None:
    assert magic.own_code(text) == block


def test_the_servers_models_are_listed_and_cut_off() -> None:
    names = [f"m{number}" for number in range(25)]
    assert magic.model_words("gpt-4", []) == "The model is gpt-4."
    assert "m0, m1" in magic.model_words("gpt-4", names)
    assert "m19 and 5 more." in magic.model_words("gpt-4", names)


def test_what_is_copied() -> None:
    messages: list[MessageDict] = [
        {"role": "user", "message": "Hi"},
        {"role": "assistant", "message": "Hello."},
        {"role": "assistant", "language": "python", "code": "1", "output": "1\n"},
    ]
    assert magic.copied("", messages) == "Hello."
    assert magic.copied("code", messages) == "1"
    assert magic.copied("output", messages) == "1\n"
    with pytest.raises(InvalidError, match="expected code or output"):
        magic.copied("it", messages)
    with pytest.raises(InvalidError, match="nothing to copy"):
        magic.copied("", messages[:1])


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_the_help_fits_on_the_screen(columns: int) -> None:
    more = {"attach": magic.MagicHelp("[ID]", "go on with a running conversation")}
    lines = magic.help_lines(more, columns)
    assert max(map(len, lines)) < max(columns, len("  %load_message [path]") + 4)
    words = " ".join(" ".join(lines).split())
    for name, command in {**magic.COMMANDS, **more}.items():
        assert f"%{name} {command.argument}".strip() in words
        assert command.help in words
    assert "! COMMAND" in words
