"""Completion in the shells themselves."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from oi_daemon.settings import NAMES
from tests.terminal.terminal import COMMAND


def script(shell: str) -> str:
    return subprocess.run(
        [COMMAND, "--completion", shell], capture_output=True, text=True, check=True
    ).stdout


def run(*command: str, home: Path) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"HOME": str(home)}, timeout=60
    )
    assert done.stderr == ""
    return done.stdout


def in_bash(home: Path, word: str, before: str = "interpreter") -> list[str]:
    """What bash offers for a word behind another."""
    line = f"_interpreter interpreter '{word}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    return run("bash", "-c", f"{script('bash')}\n{line}", home=home).split()


def test_bash_completes_flags_and_values(home: Path) -> None:
    assert in_bash(home, "--mod") == ["--model"]
    assert {f"--{name}" for name in NAMES} <= set(in_bash(home, "--"))
    assert in_bash(home, "", "--sandbox") == ["isolated", "none", "write-protect"]
    assert in_bash(home, "f", "--completion") == ["fish"]
    assert in_bash(home, "Hello") == []


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes_flags_and_values(home: Path) -> None:
    def offered(line: str) -> list[str]:
        command = f"{script('fish')}\ncomplete -C '{line}'"
        shown = run("fish", "--no-config", "-c", command, home=home)
        return [row.partition("\t")[0] for row in shown.splitlines()]

    assert offered("interpreter --mod") == ["--model"]
    assert offered("interpreter --sandbox ") == ["isolated", "none", "write-protect"]
    assert {f"--{name}" for name in NAMES} <= set(offered("interpreter --"))


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_takes_the_script(home: Path) -> None:
    line = f"autoload -U compinit; compinit -D -u\n{script('zsh')}\nprint $_comps[interpreter]"
    assert run("zsh", "-f", "-c", line, home=home) == "_interpreter\n"


def test_another_shell_is_explained() -> None:
    done = subprocess.run([COMMAND, "--completion", "csh"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "--completion: expected one of bash, zsh, fish" in done.stderr
