"""Values that are handed over between a program and the code of a conversation."""

import datetime
from pathlib import Path

import pandas  # type: ignore[import-untyped]
import pytest

from oi_daemon import Interpreter, InvalidError, OIError
from oi_daemon.settings.shapes import SandboxMode
from tests.client.programs import environment, run
from tests.fakes.openai_server import ThreadedServer, text


def test_a_pushed_table_is_a_variable_and_pulled_again(interpreter: Interpreter) -> None:
    interpreter.push(sales=pandas.DataFrame({"a": [1, 2]}), factor=3)
    interpreter.execute("python", "sales['b'] = sales.a * factor")
    pulled, factor = interpreter.pull("sales", "factor")
    assert pulled.b.tolist() == [3, 6]
    assert factor == 3
    assert interpreter.pull("len(sales)") == 2


def test_the_model_learns_what_was_pushed_and_nothing_of_what_was_pulled(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    interpreter.push(sales=[1, 2])
    interpreter.pull("sales")
    [pushed] = interpreter.messages
    assert pushed["code"].startswith("# Handed over by the person: sales (list)\n")
    server.enqueue(text("Yes."))
    interpreter.chat("Do you see it?", display=False)
    assert len(interpreter.messages) == 3
    assert "sales (list)" in str(server.requests[-1].body)


def test_nothing_is_left_in_the_temporary_folder(
    interpreter: Interpreter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    interpreter.push(n=1)
    assert interpreter.pull("n") == 1
    with pytest.raises(OIError):
        interpreter.pull("nothing")
    assert not list(tmp_path.glob("oi-handover-*"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("f", lambda: 1, "f cannot be handed over"),
        ("class", 1, "cannot be the name of a variable"),
    ],
)
def test_what_cannot_be_pushed_is_said(
    name: str, value: object, words: str, interpreter: Interpreter
) -> None:
    with pytest.raises(OIError, match=words):
        interpreter.push(**{name: value})


def test_a_class_of_the_program_itself_is_not_known_there(tmp_path: Path) -> None:
    source = """
from oi_daemon import Interpreter

class Own: pass

with Interpreter() as interpreter:
    interpreter.push(own=Own())
"""
    assert "put it into a module" in run(source, tmp_path, environment()).stderr


def test_what_is_not_there_cannot_be_pulled(interpreter: Interpreter) -> None:
    with pytest.raises(OIError, match="nope cannot be taken over: NameError"):
        interpreter.pull("nope")
    assert interpreter.messages == []


@pytest.mark.parametrize("sandbox", ["write-protect", "isolated"])
def test_with_a_sandbox_a_value_cannot_run_code_here(
    sandbox: SandboxMode, interpreter: Interpreter, tmp_path: Path
) -> None:
    interpreter.cwd, interpreter.sandbox = str(tmp_path), sandbox
    interpreter.push(day=datetime.date(2026, 1, 1), plain={"a": [1, 2.5, None, "x"]})
    assert interpreter.pull("plain") == {"a": [1, 2.5, None, "x"]}
    evil = "class Evil:\n    def __reduce__(self): return print, (1,)"
    interpreter.execute("python", f"{evil}\nevil = Evil()")
    for name in ("day", "evil"):
        with pytest.raises(InvalidError, match="only plain values"):
            interpreter.pull(name)


def test_code_that_runs_aside_gets_no_input_and_can_be_interrupted(
    interpreter: Interpreter,
) -> None:
    with pytest.raises(OIError, match="EOFError"):
        interpreter.pull("input('Name? ')")
