"""What a model is told about the machine and the folder in which its code runs.

It is made once a conversation, because servers keep the beginning of a request in a cache: a text
that changed from turn to turn would be read, and paid for, again each time.
`conversation.survey` fills it in.
"""

import platform
from dataclasses import dataclass
from pathlib import Path

from oi_daemon.model.functions import ToolFunction
from oi_daemon.settings import Settings

PACKAGES = ("pandas", "numpy", "matplotlib", "pillow", "openpyxl", "requests")
"""Packages of which the model is told whether they are installed."""
AGENTS_MD = "AGENTS.md"
"""Name of the file with a folder's instructions for models."""
MOST_NAMES = 30
"""Most names of files and folders that the model is told."""
MOST_ENTRIES = 1000
"""Most files and folders that are counted."""


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """The Python that runs the user's code."""

    version: str
    installed: tuple[str, ...]
    """Names of the installed packages, of those in `PACKAGES`."""


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A file or folder in the folder in which code runs."""

    name: str
    """The entry's name; that of a folder ends in a slash."""
    size: int | None = None
    """Bytes of a file; None for a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The machine and the folder in which code runs."""

    cwd: str
    system: str = ""
    """Name and release of the operating system."""
    shell: str = ""
    """Name of the shell; empty if there is none."""
    date: str = ""
    """Day, time zone and its offset when this was made."""
    python: PythonFacts | None = None
    """The Python that runs the user's code; None if it did not answer."""
    entries: tuple[FolderEntry, ...] | None = None
    """Files and folders in the working folder, sorted, at most `MOST_ENTRIES`; None if it could not
    be read."""
    instructions: str = ""
    """What the folder's `AGENTS.md` says; empty if there is none."""
    functions: tuple[ToolFunction, ...] = ()
    """The tools of MCP servers, which Python code may call."""
    unavailable: tuple[str, ...] = ()
    """A sentence about each MCP server whose tools are not known."""


def plain_environment(settings: Settings) -> Environment:
    """Return what is known without looking: the kind of system and the folder."""
    return Environment(cwd=settings.cwd or str(Path.cwd()), system=platform.system())


def described(environment: Environment, settings: Settings) -> str:
    """Return the environment and the rules for code as text for the model."""
    return "\n".join(
        line
        for line in (
            _machine(environment),
            _python(environment.python),
            _folder(environment),
            _rules(settings),
            _output(settings),
            _instructions(environment, settings),
        )
        if line
    )


def described_in_brief(environment: Environment) -> str:
    """Return the kind of system and the folder, for where each word of the request counts."""
    return f"The system is {platform.system()}, the current folder {environment.cwd}."


def installed_or_not(facts: PythonFacts) -> str:
    """Return the version and the packages, as in "Python 3.12 with numpy; without pandas"."""
    missing = [name for name in PACKAGES if name not in facts.installed]
    text = f"Python {facts.version}"
    if facts.installed:
        text += f" with {', '.join(facts.installed)}"
    if missing:
        text += (
            f"; without {', '.join(missing)}"
            if facts.installed
            else (f" without {', '.join(missing)}")
        )
    return text


def _machine(environment: Environment) -> str:
    shell = f" Shell blocks run in {environment.shell}." if environment.shell else ""
    date = f" Today is {environment.date}." if environment.date else ""
    return f"The system is {environment.system}.{shell}{date}"


def _python(facts: PythonFacts | None) -> str:
    if facts is None:
        return ""
    return f"{installed_or_not(facts)}. In a Python block, the line `%whos` lists the variables."


def _folder(environment: Environment) -> str:
    where = f"The current folder is {environment.cwd}."
    if environment.entries is None:
        return where
    if not environment.entries:
        return f"{where} It is empty."
    names = [entry.name for entry in environment.entries[:MOST_NAMES]]
    count = len(environment.entries)
    if count <= MOST_NAMES:
        return f"{where} It holds: {', '.join(names)}"
    many = f"{count:,} or more" if count >= MOST_ENTRIES else f"{count:,}"
    return f"{where} It holds {many} files and folders, the first ones: {', '.join(names)}, ..."


def _rules(settings: Settings) -> str:
    """Return who decides whether a block runs, what the sandbox forbids, and the limits."""
    asks = "runs without asking the user" if settings.auto_run else "runs after the user's yes"
    sandbox = {
        "none": "with all of the user's rights",
        "write-protect": "in a sandbox that lets it write in the current folder only",
        "isolated": "in a sandbox without network that lets it write in the current folder only",
    }[settings.sandbox]
    text = f"Each block {asks}, {sandbox}."
    if settings.max_seconds is not None:
        text += f" It is stopped after {settings.max_seconds:g} seconds."
    if settings.max_memory is not None:
        text += f" It may take {settings.max_memory:,} MB of memory."
    return text


def _instructions(environment: Environment, settings: Settings) -> str:
    if not environment.instructions or not settings.agents_md:
        return ""
    return f"\n{AGENTS_MD} in the current folder says:\n\n{environment.instructions}"


def _output(settings: Settings) -> str:
    return (
        f"You get {settings.max_output:,} tokens of a block's output; the middle of a longer one is"
        " left out: print less, or save it to a file and print the parts that you need."
    )
