"""The command `oi-daemon`, as a person meets it."""

import subprocess

import pytest

from oi_daemon import __version__
from tests.measured import MEASURED
from tests.wire_client import COMMAND


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*MEASURED, COMMAND, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_version() -> None:
    assert run("--version").stdout == f"oi-daemon {__version__}\n"


def test_help_says_what_it_is_and_gives_an_example() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "language server" in done.stdout
    assert "oi/execute" in done.stdout
    assert "  --download-model" in done.stdout


def test_the_example_in_the_help_works() -> None:
    """Copied out of the help and run by a shell."""
    example = run("--help").stdout.partition("  echo")[2].replace("oi-daemon", COMMAND)
    done = subprocess.run(
        ["sh", "-c", f"echo{example}"], capture_output=True, text=True, check=True
    )
    assert '"output":"4' in done.stdout


@pytest.mark.parametrize("arguments", [(), ("--debug",), ("--stdoi",), ("--stdio", "serve")])
def test_a_mistake_is_explained_on_stderr(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--stdio" in done.stderr
    assert "usage:" in done.stderr
