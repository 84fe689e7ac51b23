"""`oi/languages`: what code can be run here, by which program, and why not."""

import sys
from pathlib import Path

import pytest

from tests.wire_client import WireClient


def languages() -> dict[str, dict[str, object]]:
    with WireClient() as client:
        return {entry["name"]: entry for entry in client.result("oi/languages")["languages"]}


def test_a_language_tells_its_program_and_version() -> None:
    python = languages()["python"]
    assert python == {
        "name": "python",
        "aliases": ["py", "python3"],
        "available": True,
        "suffix": ".py",
        "lexer": "python",
        "vscode": ["python"],
        "neovim": ["python"],
        "path": sys.executable,
        "version": sys.version.split()[0],
    }


def test_the_setting_names_the_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OI_PYTHON", "/no/such/python")
    python = languages()["python"]
    assert python["available"] is False
    assert "setting `python`" in str(python["why"])


def test_one_that_needs_no_program_is_there() -> None:
    html = languages()["html"]
    assert html["available"] is True
    assert "path" not in html


def test_one_that_is_not_installed_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    r = languages()["r"]
    assert r["available"] is False
    assert "R is not installed" in str(r["why"])
    assert "path" not in r


def test_a_missing_folder_is_named_with_the_setting(tmp_path: Path) -> None:
    with WireClient() as client:
        client.result("oi/settings/set", {"settings": {"cwd": str(tmp_path / "gone")}})
        result = client.result("oi/execute", {"language": "python", "code": "1"})
    told = result["messages"][0]["output"]
    assert f"{str(tmp_path / 'gone')!r} does not exist" in told
    assert "setting cwd" in told
