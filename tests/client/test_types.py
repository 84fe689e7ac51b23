"""What a type checker, and a reader of the package, sees of the library."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_type_hints

import pytest

import oi_daemon
from oi_daemon import AsyncInterpreter, ChunkDict, Interpreter, MessageDict, SettingsDict, errors
from oi_daemon.protocol import chunks
from oi_daemon.protocol.schema import schema
from oi_daemon.settings import NAMES, Settings

ROOT = Path(__file__).parents[2]
GOOD = """
import interpreter
from oi_daemon import AsyncInterpreter, AuthError, ChunkDict, Interpreter, MessageDict
from oi_daemon import SettingsDict

from interpreter import OpenInterpreter, interpreter as same

same.model = "gpt-4"
it: Interpreter = OpenInterpreter(model="gpt-4")
interpreter.system_message += "More."
interpreter.max_tokens = None
settings: SettingsDict = {"temperature": 0.7, "sandbox": "isolated"}
for chunk in interpreter.chat("Hi", stream=True, display=False):
    if "message" in chunk:
        print(chunk["message"].upper())
    elif "executing" in chunk:
        print(chunk["executing"]["code"], chunk.get("active_line"))
messages: list[MessageDict] = interpreter.chat("Hi") + Interpreter().messages
interpreter.messages = [{"role": "user", "message": "Hi"}]
with Interpreter(conversation="abc", **settings) as it:
    it.temperature = 0.7
    it.messages = messages


async def ask() -> str:
    async with AsyncInterpreter(model="gpt-4") as it:
        async for chunk in it.chat("Hi", stream=True):
            print(chunk.get("message", ""))
        return (await it.chat("Hi"))[-1].get("message", "")
"""
REVEALED = {
    "Interpreter().model": "str",
    "interpreter.model": "str",
    "interpreter.max_budget": "float | None",
    "interpreter.usage['cost']": "float",
    "interpreter.chat('Hi')": "MessageDict",
    "next(interpreter.chat('Hi', stream=True))": "ChunkDict",
    "interpreter.execute('python', '1')[0]['role']": "'assistant'",
}
BAD = {
    "Interpreter(modle='x')": "modle",
    "Interpreter(model=3)": "str",
    "Interpreter().modle": "modle",
    "Interpreter().max_output = 'many'": "int",
    "interpreter.temprature = 1": "temprature",
    "interpreter.approve('perhaps')": "perhaps",
}
BAD_FOR_MYPY = {
    "interpreter.model = 3": "str",
    "interpreter.messages = [{'role': 'nobody'}]": "nobody",
}
"""Pyright does not check the type of what is assigned to a module's attribute."""


def test_all_that_is_public_is_there_and_nothing_else() -> None:
    for name in oi_daemon.__all__:
        assert getattr(oi_daemon, name) is not None
    kinds = {error.__name__ for error in errors._BY_KIND.values()} | {"OIError"}
    shapes = {"ChunkDict", "MessageDict", "SettingsDict"}
    objects = {"AsyncInterpreter", "Interpreter", "__version__"}
    assert set(oi_daemon.__all__) == kinds | shapes | objects
    with pytest.raises(AttributeError, match="nothing"):
        _ = oi_daemon.nothing


def test_the_dictionaries_of_chunks_and_messages_have_the_keys_of_the_wire() -> None:
    assert set(ChunkDict.__annotations__) == set(chunks.SCHEMAS)
    shapes = schema()["$defs"]["StoredMessage"]["anyOf"]
    assert set(MessageDict.__annotations__) >= {key for it in shapes for key in it["properties"]}


@pytest.mark.parametrize("package", ["client", "terminal"])
def test_there_is_hardly_any_any(package: str) -> None:
    """At most 8 in 1,000 lines."""
    paths = (ROOT / "oi_daemon" / package).glob("*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert len(re.findall(r"\bAny\b", text)) <= 8 * text.count("\n") / 1000


def test_every_setting_is_an_attribute() -> None:
    interpreter = Interpreter()
    assert [name for name in NAMES if not hasattr(interpreter, name)] == []


def test_the_types_of_the_settings_are_the_same_wherever_they_stand() -> None:
    assert get_type_hints(SettingsDict) == get_type_hints(Settings)
    keywords = _annotations("oi_daemon/settings/shapes.py", "SettingsDict")
    assert _annotations("oi_daemon/client/attributes.py", "SettingAttributes") == keywords
    module = _annotations("interpreter/__init__.pyi")
    assert {name: module[name] for name in NAMES} == keywords


def _annotations(path: str, owner: str = "") -> dict[str, str]:
    """The annotated names of a class, or of a module, as they are written; without quotes."""
    body = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    if owner:
        [body] = [it.body for it in body if isinstance(it, ast.ClassDef) and it.name == owner]
    return {
        ast.unparse(it.target): ast.unparse(it.annotation).strip("'")
        for it in body
        if isinstance(it, ast.AnnAssign)
    }


def test_the_object_for_asyncio_has_all_that_the_other_has() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(AsyncInterpreter) == public(Interpreter)


def test_the_types_of_import_interpreter_name_all_that_the_object_has() -> None:
    stub = ast.parse((ROOT / "interpreter/__init__.pyi").read_text(encoding="utf-8"))
    names = set()
    for statement in stub.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]):
                names.add(name)
    public = {name for name in dir(Interpreter) if not name.startswith("_")}
    assert names - {"_interpreter", "interpreter", "OpenInterpreter"} == public


def _check_by_mypy(program: Path) -> Iterator[tuple[int, str]]:
    """What mypy says of a program: the line's number, and the words."""
    command = ["mypy", "--strict", "--no-incremental", program.name]
    for line in _run(command, program.parent).splitlines():
        if found := re.match(r"program\.py:(\d+): (error|note): (.*)", line):
            yield int(found[1]), found[3].replace('"', "'")


def _check_by_pyright(program: Path) -> Iterator[tuple[int, str]]:
    """What pyright says of a program: the line's number, and the words."""
    command = ["pyright", "--outputjson", "--pythonpath", sys.executable, program.name]
    for it in json.loads(_run(command, program.parent))["generalDiagnostics"]:
        yield it["range"]["start"]["line"] + 1, it["message"]


def _run(command: list[str], folder: Path) -> str:
    """What a type checker prints."""
    command = [sys.executable, "-m", *command]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("check", "bad"), [(_check_by_mypy, BAD | BAD_FOR_MYPY), (_check_by_pyright, BAD)]
)
def test_a_program_is_checked(
    check: Callable[[Path], Iterator[tuple[int, str]]], bad: dict[str, str], tmp_path: Path
) -> None:
    good = GOOD.strip().splitlines()
    revealed = [f"reveal_type({expression})" for expression in REVEALED]
    program = tmp_path / "program.py"
    program.write_text("\n".join([*good, *revealed, *bad]), encoding="utf-8")
    complaints = list(check(program))
    expected = dict(enumerate([*REVEALED.values(), *bad.values()], len(good) + 1))
    assert {number for number, _ in complaints} == set(expected), complaints
    for number, words in expected.items():
        assert any(words in text for line, text in complaints if line == number), complaints


def test_del_gives_a_setting_its_configured_value_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OI_TEMPERATURE", "0.3")
    interpreter = Interpreter(temperature=0.9)
    del interpreter.temperature
    assert interpreter.temperature == 0.3
