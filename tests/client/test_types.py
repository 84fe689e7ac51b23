"""What a type checker, and a reader of the package, sees of the library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import oi_daemon
from oi_daemon import ChunkDict, Interpreter, MessageDict, errors
from oi_daemon.protocol import chunks
from oi_daemon.protocol.schema import schema
from oi_daemon.settings import NAMES

ROOT = Path(__file__).parents[2]
GOOD = """
import interpreter
from oi_daemon import AuthError, Interpreter

interpreter.system_message += "More."
interpreter.max_tokens = None
for chunk in interpreter.chat("Hi", stream=True, display=False):
    print(chunk["message"])
messages: list[dict[str, object]] = interpreter.chat("Hi") + Interpreter().messages
with Interpreter(model="gpt-4") as it:
    it.temperature = 0.7
"""
BAD = {
    "interpreter.temprature = 1": "temperature",
    "interpreter.model = 3": "str",
    "Interpreter().max_output = 'many'": "int",
}


def test_all_that_is_public_is_there_and_nothing_else() -> None:
    for name in oi_daemon.__all__:
        assert getattr(oi_daemon, name) is not None
    kinds = {error.__name__ for error in errors._BY_KIND.values()} | {"OIError"}
    assert set(oi_daemon.__all__) == kinds | {
        "ChunkDict",
        "Interpreter",
        "MessageDict",
        "__version__",
    }
    with pytest.raises(AttributeError, match="nothing"):
        _ = oi_daemon.nothing


def test_the_dictionaries_of_chunks_and_messages_have_the_keys_of_the_wire() -> None:
    assert set(ChunkDict.__annotations__) >= set(chunks.SCHEMAS)
    shapes = schema()["$defs"]["StoredMessage"]["anyOf"]
    assert set(MessageDict.__annotations__) >= {key for it in shapes for key in it["properties"]}


def test_every_setting_is_an_attribute() -> None:
    interpreter = Interpreter()
    assert [name for name in NAMES if not hasattr(interpreter, name)] == []


def test_the_types_of_import_interpreter_name_all_that_the_object_has() -> None:
    stub = ast.parse((ROOT / "interpreter/__init__.pyi").read_text(encoding="utf-8"))
    names = set()
    for statement in stub.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(name)) | ast.Assign(targets=[ast.Name(name)]):
                names.add(name)
    public = {name for name in dir(Interpreter) if not name.startswith("_")}
    assert names - {"_interpreter"} == public


def test_a_program_is_checked(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("\n".join([GOOD.strip(), *BAD]), encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    complaints = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(complaints) == len(BAD), done.stdout + done.stderr
    for complaint, wanted in zip(complaints, BAD.values(), strict=True):
        assert wanted in complaint


def test_del_gives_a_setting_its_configured_value_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OI_TEMPERATURE", "0.3")
    interpreter = Interpreter(temperature=0.9)
    del interpreter.temperature
    assert interpreter.temperature == 0.3
