import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SCRIPTS = ["scripts/try", "scripts/test", ".ci/run"]

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


@pytest.mark.parametrize("script", [*SCRIPTS, "scripts/venv.sh"])
def test_scripts_are_valid_bash(script: str) -> None:
    subprocess.run(["bash", "-n", ROOT / script], check=True)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_stop_at_the_first_failure(script: str) -> None:
    assert "\nset -euo pipefail\n" in (ROOT / script).read_text(encoding="utf-8")


def test_no_file_names_a_package_registry() -> None:
    """The user's own configuration says where packages come from."""
    assert found(REGISTRY) == []


def test_no_file_names_a_place_on_one_machine() -> None:
    assert found(MACHINE) == []
