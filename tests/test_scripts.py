import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SCRIPTS = ["scripts/lock", "scripts/try", "scripts/test", ".ci/run"]
SOURCED = ["scripts/neovim.sh", "scripts/system.sh", "scripts/venv.sh"]

REGISTRY = re.compile(
    r"https?://[^\s/\"']*(?:pypi|pythonhosted|registry|npmjs|crates|artifactory|nexus|mirror)", re.I
)
MACHINE = re.compile(
    rf"(?<![\w.])(?:/(?:work|workspace|builds|root)/\w|{re.escape(str(ROOT))}\b"
    rf"|{re.escape(str(Path.home()))}/\w)"
)


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.stdout.decode().split("\0") if (ROOT / name).is_file()]


def found(pattern: re.Pattern[str]) -> list[str]:
    """Each place in a tracked text file where the pattern matches."""
    places = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            places.append(f"{path.relative_to(ROOT)}:{line}: {match[0]}")
    return places


@pytest.mark.parametrize("script", [*SCRIPTS, *SOURCED])
def test_scripts_are_valid_bash(script: str) -> None:
    subprocess.run(["bash", "-n", ROOT / script], check=True)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_stop_at_the_first_failure(script: str) -> None:
    assert "\nset -euo pipefail\n" in (ROOT / script).read_text(encoding="utf-8")


def ensure_system(programs: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What `scripts/test` does first, on a system that has these programs alone."""
    for needed in ("cat", "id"):
        (programs / needed).symlink_to(shutil.which(needed) or needed)
    return subprocess.run(
        ["bash", "-c", f"set -eu; source scripts/system.sh; ensure_system {' '.join(arguments)}"],
        executable=shutil.which("bash"),
        cwd=ROOT,
        env={"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_the_system_lacks_is_said_and_installed_only_where_this_may_be_done(
    tmp_path: Path,
) -> None:
    done = ensure_system(tmp_path, "no-install")
    assert done.returncode == 1
    for program in ("R", "chromium", "luacheck", "npm"):
        assert f"Missing: {program}, for" in done.stderr


def test_the_packages_are_named_before_they_are_installed(tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text('#!/bin/sh\necho "apt-get $*"\n', encoding="utf-8")
    apt.chmod(0o755)
    (tmp_path / "sh").symlink_to(shutil.which("sh") or "sh")
    done = ensure_system(tmp_path, "R")
    lines = done.stderr.splitlines()
    if os.getuid() == 0:
        assert done.returncode == 0
        assert lines[1] == "Installing these packages on this system: r-base-core"
        assert lines[-1].startswith("apt-get -qq install")
        assert "r-base-core" in lines[-1]
    else:
        assert done.returncode == 1
        assert "apt install r-base-core" in lines[-1]


def test_nothing_is_installed_where_all_is_there(tmp_path: Path) -> None:
    (tmp_path / "R").symlink_to(shutil.which("true") or "true")
    assert ensure_system(tmp_path, "R").returncode == 0


def test_no_file_names_a_package_registry() -> None:
    """The user's own configuration says where packages come from."""
    assert found(REGISTRY) == []


def test_no_file_names_a_place_on_one_machine() -> None:
    assert found(MACHINE) == []
