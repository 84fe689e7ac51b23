"""Interpreters are asked for their version once."""

import sys
from pathlib import Path

from oi_daemon.execution.languages.versions import Versions


def program(path: Path, script: str) -> str:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


async def test_a_version_is_found() -> None:
    assert await Versions().version(sys.executable) == sys.version.split()[0]


async def test_it_is_asked_once(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    named = program(tmp_path / "program", f"echo x >>{asked}; echo 'It is 1.2.3-beta (4.5)' >&2")
    versions = Versions()
    assert [await versions.version(named) for _ in range(3)] == ["1.2.3"] * 3
    assert asked.read_text() == "x\n"


async def test_who_has_none_has_none(tmp_path: Path) -> None:
    assert await Versions().version(program(tmp_path / "program", "exit 1")) is None
    assert await Versions().version(str(tmp_path / "nothing")) is None


async def test_who_does_not_answer_is_not_waited_for(tmp_path: Path) -> None:
    assert await Versions().version(program(tmp_path / "program", "exec sleep 100")) is None
