"""Wheel and source distribution hold what is meant, install, and work for who installs them."""

import fnmatch
import re
import tarfile
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

from oi_daemon import __version__
from tests.fakes.openai_server import ThreadedServer, example
from tests.packaging.conftest import BIN, Built, run

pytestmark = [
    pytest.mark.packaging,
    pytest.mark.timeout(600),
]

IN_THE_WHEEL = [
    "interpreter/__init__.py",
    "interpreter/__init__.pyi",
    "interpreter/py.typed",
    "oi_daemon/*.py",
    "oi_daemon/py.typed",
    "oi_daemon/execution/javascript_worker/*.cjs",
    "oi_daemon/execution/javascript_worker/vendor/acorn/*",
    "oi_daemon/execution/languages/block.zsh",
    "oi_daemon/execution/languages/boot.*",
    "oi_daemon/execution/languages/*.R",
    "oi_daemon/model/tables/*.xz",
]
"""Patterns of the files that are installed; `*` also stands for folders."""

METADATA = ["METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"]
METADATA += ["licenses/oi_daemon/execution/javascript_worker/vendor/acorn/LICENSE"]

PROGRAM = """\
import sys
from typing import TYPE_CHECKING, assert_type

import interpreter
from oi_daemon import Interpreter

if TYPE_CHECKING:
    assert_type(Interpreter().model, str)
    assert_type(Interpreter().max_budget, float | None)
    assert_type(interpreter.temperature, float | None)
    interpreter.temprature = 1  # type: ignore
    Interpreter().model = 3  # type: ignore

with Interpreter(api_base=sys.argv[1], api_key="sk-test-0123456789", auto_run=True) as it:
    for chunk in it.chat("What's 34/24?", stream=True, display=False):
        print(chunk.get("output", ""), end="")
print(interpreter.model)
"""
"""A user's program: each wrong line has to be an error, because an ignore without one is."""

MISSPELT = """\
from oi_daemon import Interpreter

reveal_type(Interpreter().model)
Interpreter(modle="x")
"""


def contents_of_wheel(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def contents_of_sdist(sdist: Path) -> set[str]:
    with tarfile.open(sdist) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


def metadata(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        return archive.read(name).decode()


def test_the_wheel_holds_what_is_meant_and_nothing_else(built: Built, tracked: set[str]) -> None:
    found = contents_of_wheel(built.wheel)
    meant = {name for name in tracked for pattern in IN_THE_WHEEL if fnmatch.fnmatch(name, pattern)}
    about = {f"oi_daemon-{__version__}.dist-info/{name}" for name in METADATA}
    assert found == meant | about
    assert [pattern for pattern in IN_THE_WHEEL if not fnmatch.filter(found, pattern)] == []


def test_the_sdist_holds_what_git_tracks_and_nothing_else(built: Built, tracked: set[str]) -> None:
    """So whoever has it can run every test and package both editors' clients."""
    assert contents_of_sdist(built.sdist) == tracked | {"PKG-INFO"}


def test_a_package_index_accepts_both(built: Built, user: dict[str, str]) -> None:
    run(
        BIN / "twine",
        "check",
        "--strict",
        built.wheel,
        built.sdist,
        cwd=built.wheel.parent,
        env=user,
    )


def test_the_text_for_a_package_index_has_no_link_that_breaks_there(built: Built) -> None:
    message = message_from_string(metadata(built.wheel))
    text = message.get_payload()
    assert message["Description-Content-Type"] == "text/markdown"
    assert str(text).startswith("# oi-daemon\n")
    assert "](" not in str(text).replace("](https://", "")


def test_pip_installs_the_wheel_with_both_programs(installed: Path, tmp_path: Path) -> None:
    for program in ("oi-daemon", "interpreter"):
        assert run(installed.with_name(program), "--version", cwd=tmp_path).split() == [
            program,
            __version__,
        ]
    request = '{"jsonrpc":"2.0","id":1,"method":"oi/status"}\n'
    answer = run(installed.with_name("oi-daemon"), "--stdio", cwd=tmp_path, stdin=request)
    assert '"id":1,"result":' in answer


def test_the_sdist_installs(built: Built, tmp_path: Path, user: dict[str, str]) -> None:
    run(BIN / "uv", "venv", "--quiet", "venv", cwd=tmp_path, env=user)
    python = tmp_path / "venv/bin/python"
    run(
        *(BIN / "uv", "pip", "install", "--quiet", "--python", python, built.sdist),
        cwd=tmp_path,
        env=user,
    )
    assert run(python.with_name("oi-daemon"), "--version", cwd=tmp_path).split()[1] == __version__
    code = "import oi_daemon; print(oi_daemon.__file__)"
    assert run(python, "-c", code, cwd=tmp_path).startswith(str(tmp_path))


def test_a_users_program_runs_and_its_types_are_checked(
    installed: Path, server: ThreadedServer, tmp_path: Path, user: dict[str, str]
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    server.enqueue(*example())
    printed = run(installed, program, server.url, cwd=tmp_path)
    assert printed.startswith("1.4166666666666667")
    for checker in checkers(installed, tmp_path):
        run(*checker, program, cwd=tmp_path, env=user)


def test_a_misspelt_setting_is_an_error_and_a_setting_has_its_type(
    installed: Path, tmp_path: Path, user: dict[str, str]
) -> None:
    program = tmp_path / "misspelt.py"
    program.write_text(MISSPELT, encoding="utf-8")
    for checker in checkers(installed, tmp_path):
        found = run(*checker, program, cwd=tmp_path, env=user, status=1)
        assert re.search(r'py:3:.*[Tt]ype .*is "(builtins\.)?str"', found)
        [error] = re.findall(r"py:4:.* error: .*", found)
        assert "modle" in error
        assert found.count("error:") == 1


def checkers(installed: Path, folder: Path) -> list[tuple[str | Path, ...]]:
    """The commands that check a program in a folder by mypy and by pyright, both strict."""
    (folder / "pyrightconfig.json").write_text(
        '{"typeCheckingMode": "strict", "reportUnnecessaryTypeIgnoreComment": true}'
    )
    mypy = (BIN / "mypy", "--strict", "--no-incremental", "--python-executable", installed)
    return [mypy, (BIN / "pyright", "--pythonpath", installed)]
