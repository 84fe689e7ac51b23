"""Programs that were written for Open Interpreter 0.2 to 0.4."""

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oi_daemon import AsyncInterpreter, Interpreter, InvalidError
from oi_daemon.client import earlier_names
from oi_daemon.client.earlier_names import EarlierNameWarning
from tests.client.programs import environment, run
from tests.fakes.openai_server import ThreadedServer, text

PROGRAM = """
from interpreter import OpenInterpreter, interpreter
import interpreter as module

interpreter.llm.model = "openai/gpt-4o"
interpreter.llm.model = "gpt-4o-mini"
interpreter.llm.api_key = "sk-secret-0123456789"
interpreter.llm.context_window = 8000
interpreter.auto_run = True
interpreter.offline = False
print(module is interpreter, isinstance(OpenInterpreter(), type(interpreter)), interpreter.model)
for chunk in interpreter.chat("Hi", display=False, stream=True):
    print(chunk)
print(interpreter.computer.run("python", "print(6 * 7)"))
"""


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An object of today, whose warnings come anew."""
    monkeypatch.setattr(earlier_names, "_warned", set())
    with Interpreter() as interpreter:
        yield interpreter


def test_a_program_runs_and_is_told_once_at_its_own_lines(
    server: ThreadedServer, tmp_path: Path
) -> None:
    server.enqueue(text("Hello!"))
    done = run(PROGRAM, tmp_path, environment(server) | {"PYTHONWARNINGS": "default"})
    assert done.stdout.splitlines() == [
        "True True gpt-4o-mini",
        "{'message': 'Hello!'}",
        "[{'role': 'computer', 'type': 'console', 'format': 'output', 'content': '42'}]",
    ], done.stderr
    told = [line for line in done.stderr.splitlines() if "EarlierNameWarning" in line]
    assert [line.partition(": EarlierNameWarning: ")[0].rpartition(":")[2] for line in told] == [
        *("5", "7", "8", "10", "14")
    ]
    assert all(line.startswith(f"{tmp_path}/script.py:") for line in told)
    assert "here it is interpreter.model = 'gpt-4o'" in told[0]
    assert "secret" not in "".join(told)


@pytest.mark.parametrize(
    ("name", "value", "setting", "expected"),
    [
        ("model", "openai/gpt-4o", "model", "gpt-4o"),
        ("model", "ollama/llama3", "model", "llama3"),
        ("model", "gpt-4o", "model", "gpt-4o"),
        ("temperature", 0.2, "temperature", 0.2),
        ("max_tokens", 9, "max_tokens", 9),
        ("max_budget", 0.5, "max_budget", 0.5),
        ("api_base", "http://localhost:1/v1", "api_base", "http://localhost:1/v1"),
        ("supports_vision", True, "vision", "on"),
        ("supports_functions", False, "tool_style", "markdown"),
    ],
)
def test_a_setting_of_llm(
    name: str, value: object, setting: str, expected: object, old: Any
) -> None:
    with pytest.warns(EarlierNameWarning, match=f"interpreter.{setting} = "):
        setattr(old.llm, name, value)
    assert getattr(old, setting) == expected
    assert getattr(old.llm, name) == (expected if name == "model" else value)


def test_a_model_of_ollama_is_a_local_one(old: Any) -> None:
    with pytest.warns(EarlierNameWarning):
        old.llm.model = "ollama/llama3"
    assert old.local is True


@pytest.mark.parametrize(("name", "setting"), [("offline", "local"), ("verbose", "debug_mode")])
def test_a_setting_that_was_renamed(name: str, setting: str, old: Any) -> None:
    with pytest.warns(EarlierNameWarning, match=f"interpreter.{setting} = True"):
        setattr(old, name, True)
    assert getattr(old, setting) is True
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(old, name) is True


def test_what_has_no_effect_says_so(old: Any) -> None:
    with pytest.warns(EarlierNameWarning, match="has no effect: code runs after a yes"):
        old.safe_mode = "ask"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (lambda it: it.nothing, "has no attribute 'nothing'"),
        (lambda it: setattr(it, "nothing", 1), "there is no setting 'nothing'"),
        (lambda it: it.llm.nothing, "nothing like llm.nothing here"),
        (lambda it: setattr(it.llm, "api_version", "1"), "nothing like llm.api_version here"),
        (lambda it: it.computer.mouse, "nothing like computer.mouse here"),
    ],
)
def test_what_is_not_there_is_an_attribute_error(
    action: Callable[[Any], object], words: str, old: Any
) -> None:
    with pytest.raises(AttributeError, match=words):
        action(old)


def test_a_value_that_does_not_fit_is_refused(old: Any) -> None:
    with pytest.raises(InvalidError, match="expected True, False or None"):
        old.llm.supports_vision = "yes"


@pytest.mark.parametrize("action", [copy.copy, copy.deepcopy, pickle.dumps])
@pytest.mark.parametrize("kind", [Interpreter, AsyncInterpreter])
def test_a_copy_is_refused_in_words(
    action: Callable[[object], object], kind: type[Interpreter] | type[AsyncInterpreter]
) -> None:
    with pytest.raises(TypeError, match=f"An {kind.__name__} cannot be copied, pickled"):
        action(kind())
