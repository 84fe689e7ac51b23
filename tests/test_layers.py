"""Imports run downwards only, load little, and do nothing."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LIGHT = [
    "oi_daemon",
    "oi_daemon.conversation.budget",
    "oi_daemon.settings.sources",
    "oi_daemon.errors",
    "oi_daemon.history",
    "oi_daemon.messages",
    "oi_daemon.protocol.methods",
    "oi_daemon.settings",
    "oi_daemon.conversation.collaborators",
    "oi_daemon.conversation.turn",
]
HEAVY = {"openai", "httpx2", "pygls", "lsprotocol", "tiktoken", "genai_prices", "rich"}
NOT_IMPORTED = [
    "oi_daemon.__main__",
    "oi_daemon.execution.python_worker",  # runs under the user's own Python
]

WATCHED = """
import importlib, pkgutil, sys, threading

CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.truncate"}
REACHES = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.", "os.fork")

def watch(event, args):
    writes = event == "open" and isinstance(args[2], int) and args[2] & 3
    if writes or event in CHANGES or event.startswith(REACHES):
        effects.append((event, *args))

effects = []
import oi_daemon
names = [module.name for module in pkgutil.walk_packages(oi_daemon.__path__, "oi_daemon.")]
sys.addaudithook(watch)
for name in names:
    if not any(part in name for part in SKIPPED):
        importlib.import_module(name)
assert not effects, effects
assert threading.active_count() == 1, threading.enumerate()
"""
"""Imports all modules, and reports what that did to disk, network, processes and threads."""


@pytest.fixture
def python(home: Path) -> Callable[..., str]:
    """Runs code in a Python that knows the package, in an empty folder; gives what it printed."""

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-B", "-W", "error", "-c", code],
            cwd=home,
            env={"PYTHONPATH": str(ROOT), "HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def layers() -> dict[str, int]:
    """The layer of each module and package in the package's root, counted from above."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = settings["tool"]["importlinter"]["contracts"][0]
    return {
        module.removeprefix("oi_daemon."): number
        for number, layer in enumerate(contract["layers"])
        for module in layer.split(" | ")
    }


def test_imports_run_downwards_only() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_has_its_place_and_its_line_in_the_architecture() -> None:
    found = [
        path for path in (ROOT / "oi_daemon").iterdir() if not path.name.startswith(("_", "."))
    ]
    modules = {
        path.stem for path in found if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    order = layers()
    assert order.keys() == modules
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    named = [name.strip("`/") for cell in cells for name in cell.split(", ")]
    assert sorted(named) == sorted(modules)
    assert [order[name] for name in named] == sorted(order.values())


def test_no_class_name_is_borne_twice() -> None:
    """A name means one thing, wherever in the package it stands."""
    borne: dict[str, list[str]] = {}
    for path in sorted((ROOT / "oi_daemon").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                name = node.name.lstrip("_")
                borne.setdefault(name, []).append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in borne.items() if len(paths) > 1} == {}


def test_the_root_of_the_package_holds_few_modules() -> None:
    assert len([*(ROOT / "oi_daemon").glob("*.py")]) <= 10


@pytest.mark.parametrize("module", LIGHT)
def test_the_core_loads_nothing_heavy(python: Callable[[str], str], module: str) -> None:
    loaded = python(f"import sys, {module}; print(*sys.modules)").split()
    assert not HEAVY & set(loaded)


def test_values_need_nothing_but_the_standard_library(python: Callable[[str], str]) -> None:
    for module in ("messages", "errors", "conversation.budget"):
        code = f"before = {{*sys.modules}}; import oi_daemon.{module}"
        loaded = python(f"import sys; {code}; print(*{{*sys.modules}} - before)").split()
        foreign = {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names
        assert foreign == {"oi_daemon"}


def test_importing_does_nothing(python: Callable[[str], str], home: Path) -> None:
    printed = python(WATCHED.replace("SKIPPED", repr(NOT_IMPORTED)))
    assert printed == ""
    assert [*home.iterdir()] == []
