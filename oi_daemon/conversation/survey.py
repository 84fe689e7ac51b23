"""Finds out what the model is told about the machine and the folder in which code runs."""

import asyncio
import datetime
import importlib.util
import json
import logging
import os
import platform
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.environment import environment, find_python
from oi_daemon.messages.text import without_controls
from oi_daemon.model.environment import (
    AGENTS_MD,
    MOST_ENTRIES,
    PACKAGES,
    Environment,
    FolderEntry,
    PythonFacts,
)

logger = logging.getLogger(__package__)

LONGEST_NAME = 80
"""Most characters of a file's or folder's name that the model is told."""
LONGEST_INSTRUCTIONS = 32_000
"""Most bytes of the folder's `AGENTS.md` that the model is told."""
PATIENCE = 3.0
"""Seconds that the folder and the user's Python have to answer; after that they are left out."""

_MODULES = {"pillow": "PIL"}
"""Name under which a package is imported, where that is not the package's own name."""
_PROBE = (
    "import importlib.util, json, sys; print(json.dumps([sys.version.split()[0],"
    " [bool(importlib.util.find_spec(name)) for name in sys.argv[1:]]]))"
)
"""Python code that prints its version, and which of the modules in its arguments are installed."""

_T = TypeVar("_T")


class Surroundings:
    """Keeps the environment of one conversation, which is found out once."""

    def __init__(self) -> None:
        self._environment: Environment | None = None
        """The environment; None until it is needed."""
        self._made_for: tuple[Workplace, datetime.date] | None = None
        """The workplace and the day for which `_environment` was found out."""

    async def at(self, workplace: Workplace) -> Environment:
        """Return the environment. It is found out again at another workplace and on another day."""
        made_for = (workplace, datetime.datetime.now().astimezone().date())
        if self._environment is None or made_for != self._made_for:
            self._environment, self._made_for = await survey(workplace), made_for
        return self._environment

    def forget(self) -> None:
        """Find the environment out again when it is next needed."""
        self._environment = None


async def survey(workplace: Workplace) -> Environment:
    """Return the environment as it is now. What does not answer in time is left out."""
    facts, instructions, entries, system = await asyncio.gather(
        _python_facts(workplace),
        _in_time(partial(_instructions, workplace.cwd)),
        _in_time(partial(_entries, workplace.cwd)),
        _in_time(_system),
    )
    return Environment(
        cwd=workplace.cwd,
        system=system or platform.system(),
        shell="bash" if shutil.which("bash") else "",
        date=_date(),
        python=facts,
        entries=entries,
        instructions=instructions or "",
    )


def _date() -> str:
    now = datetime.datetime.now().astimezone()
    return f"{now:%A, %Y-%m-%d}, time zone {now.tzname()} (UTC{now:%z})"


def _system() -> str:
    """Return name and release of the system, such as "Debian GNU/Linux 12 (Linux 6.1.0)"."""
    kernel = f"{platform.system()} {platform.release()}"
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']} ({kernel})"
    except (OSError, KeyError):
        return kernel


def _entries(cwd: str) -> tuple[FolderEntry, ...]:
    """Return the folder's entries without hidden ones, sorted by their names."""
    with os.scandir(cwd) as scan:
        seen = (entry for entry in scan if not entry.name.startswith("."))
        return tuple(sorted(map(_entry, islice(seen, MOST_ENTRIES)), key=lambda entry: entry.name))


def _instructions(cwd: str) -> str:
    """Return what the folder's `AGENTS.md` says, without its end if it is long."""
    path = Path(cwd, AGENTS_MD)
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        data = file.read(LONGEST_INSTRUCTIONS + 1)
    text = without_controls(data[:LONGEST_INSTRUCTIONS].decode("utf-8", "replace")).strip()
    return text if len(data) <= LONGEST_INSTRUCTIONS else f"{text}\n[the end is left out]"


def _entry(entry: "os.DirEntry[str]") -> FolderEntry:
    name = without_controls(entry.name).replace("\n", " ").encode("utf-8", "replace").decode()
    name = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}..."
    try:
        if entry.is_dir():
            return FolderEntry(f"{name}/")
        return FolderEntry(name, entry.stat().st_size)
    except OSError:
        return FolderEntry(name)


async def _in_time(look: Callable[[], _T]) -> _T | None:
    """Return what a function gives in a thread; None if it fails or takes too long."""
    try:
        return await asyncio.wait_for(asyncio.to_thread(look), PATIENCE)
    except (OSError, TimeoutError) as error:
        logger.debug("the environment is told without a part: %r", error)
        return None


async def _python_facts(workplace: Workplace) -> PythonFacts | None:
    """Return facts of the user's Python. If it is the daemon's own, it is not started for that."""
    modules = [_MODULES.get(name, name) for name in PACKAGES]
    try:
        python = find_python(workplace.python, workplace.environ)
        if python == sys.executable:
            found = [importlib.util.find_spec(name) is not None for name in modules]
            return _facts(platform.python_version(), found)
        environ = workplace.environ
        variables = environment(python, environ)
        variables = environ.for_code(variables, workplace.withheld, workplace.passed)
        version, found = json.loads(await _run(python, modules, variables))
        return _facts(str(version), found)
    except (NotInstalledError, OSError, TimeoutError, ValueError) as error:
        logger.debug("the environment is told without Python: %r", error)
        return None


def _facts(version: str, found: Sequence[bool]) -> PythonFacts:
    installed = (name for name, is_there in zip(PACKAGES, found, strict=True) if is_there)
    return PythonFacts(version, tuple(installed))


async def _run(python: str, modules: Sequence[str], variables: Mapping[str, str]) -> bytes:
    """Return what the probe prints in this Python. Its process is killed if this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        python,
        "-c",
        _PROBE,
        *modules,
        cwd="/",
        env=variables,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        return output
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
