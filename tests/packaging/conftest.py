"""The package as it is published: built once, and installed in environments of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
"""Where the development environment has its programs."""


@dataclass(frozen=True)
class Built:
    """The two files that go to a package index."""

    wheel: Path
    sdist: Path


def run(
    *command: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    status: int = 0,
) -> str:
    """What a command prints; it must end with this status."""
    done = subprocess.run(
        command, cwd=cwd, env=env, input=stdin, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def user() -> dict[str, str]:
    """The environment of who runs the tests, which says where packages come from."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="session")
def tracked() -> set[str]:
    """The repository's files, as git knows them."""
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    return {name for name in done.stdout.split("\0") if (ROOT / name).is_file()}


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this test run share; what one has made, the others find.

    pytest-xdist's groups would do, but have no effect with pytest 9.2.
    """
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def built(once: Path, user: dict[str, str]) -> Built:
    """The source distribution, and the wheel built from it."""
    folder = once / "dist"
    with FileLock(once / "dist.lock"):
        if not [*folder.glob("*.whl")]:
            run(BIN / "uv", "build", "--quiet", "--out-dir", folder, cwd=ROOT, env=user)
    [wheel], [sdist] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="session")
def installed(built: Built, once: Path, user: dict[str, str]) -> Path:
    """The Python of an environment that holds the wheel, what it requires, and nothing else."""
    python = once / "wheel/bin/python"
    with FileLock(once / "wheel.lock"):
        if not python.with_name("interpreter").exists():
            run(sys.executable, "-m", "venv", once / "wheel", cwd=once, env=user)
            run(python, "-m", "pip", "install", "--quiet", built.wheel, cwd=once, env=user)
    return python
