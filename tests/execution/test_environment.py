"""Which Python runs the code, and in which environment."""

import os
import sys
from pathlib import Path

import pytest

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.languages.environment import environment, find_python


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """As much of a virtual environment as can be seen from outside."""
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    (folder / "bin" / "python").symlink_to(sys.executable)
    return folder


def test_the_setting_comes_first(venv: Path) -> None:
    python = str(venv / "bin" / "python")
    for setting in (str(venv), python):
        assert find_python(setting, {"VIRTUAL_ENV": "/elsewhere"}) == python
    assert find_python("python", {"PATH": str(venv / "bin")}) == python


@pytest.mark.parametrize("variable", ["VIRTUAL_ENV", "CONDA_PREFIX"])
def test_then_the_active_environment(venv: Path, variable: str) -> None:
    assert find_python(None, {variable: str(venv)}) == str(venv / "bin" / "python")


def test_then_the_daemon_s_own() -> None:
    assert find_python(None, {"VIRTUAL_ENV": "/no/such/folder"}) == sys.executable


def test_a_setting_that_names_none_is_refused() -> None:
    with pytest.raises(NotInstalledError, match="setting `python`"):
        find_python("/no/such/python", {})


def test_programs_of_the_virtual_environment_are_found_first(venv: Path) -> None:
    changed = environment(str(venv / "bin" / "python"), {"PATH": "/usr/bin", "MINE": "1"})
    assert changed["PATH"].split(os.pathsep) == [str(venv / "bin"), "/usr/bin"]
    assert changed["VIRTUAL_ENV"] == str(venv)
    assert changed["MINE"] == "1"


def test_a_python_without_an_environment_changes_no_path() -> None:
    assert environment("/usr/bin/python3", {"PATH": "/bin"})["PATH"] == "/bin"
