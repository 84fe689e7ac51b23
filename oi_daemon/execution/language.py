"""What a language is, and what a running process of one can do.

A further language is a module in `languages/` that ends in its own `LANGUAGE = Language(...)`, and
an entry in `languages/registry.py`.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from oi_daemon.execution.limits import Limits
from oi_daemon.keys import NAMES, Environ, process_environ
from oi_daemon.messages import Chunk

if TYPE_CHECKING:
    from oi_daemon.execution.sandbox.sandbox import Sandbox


class ToolCalls(Protocol):
    """The tools that code may call."""

    async def answer(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer a request of `python_worker/tools.py`. Never raises for what a server does.

        A `call` of a tool is told to its server as cancelled if this is cancelled.

        Returns:
            what that module reads; `error` holds the reason if there is nothing else to give.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """Where code runs, and under which limits."""

    cwd: str
    """Folder in which a language's process starts."""
    environ: Environ = field(default_factory=process_environ, repr=False)
    """The environment of the client that code runs for."""
    python: str | None = None
    """Python that runs Python code. None: the one that `find_python` chooses."""
    shown_head: int = 1 << 20
    """Bytes at the beginning of a block's output that are shown as they arrive."""
    shown_tail: int = 1 << 16
    """Bytes at the end of a longer output that are shown when the block ends."""
    limits: Limits = field(default_factory=Limits, compare=False)
    """Limits of a block. They can change without a restart of the processes."""
    sandbox: "Sandbox | None" = None
    """What the code may write, read and reach. None: no restrictions."""
    withheld: tuple[str, ...] = NAMES
    """Environment variables that the code does not get, because they hold keys."""
    passed: tuple[str, ...] = ()
    """Environment variables with keys that the code gets all the same."""
    has_tools: bool = False
    """Whether Python code has `tools`, the functions of MCP servers."""
    tools: "ToolCalls | None" = field(default=None, compare=False)
    """Answers what code asks about tools. It can change without a restart of the processes."""


@dataclass(frozen=True, kw_only=True)
class Lookup:
    """A question about what a language process holds. Answering it runs no code of the user's."""

    kind: Literal["variables", "inspect", "complete"]
    """What is wanted: all variables, the documentation of a name, or what may stand somewhere."""
    code: str = ""
    """The code around the place that is asked about."""
    position: int = 0
    """The place: how many characters of the code are before it."""
    limit: int = 1000
    """Most variables or matches that are wanted."""


@dataclass(frozen=True, slots=True)
class StartedProcess:
    """A process that code has started."""

    pid: int
    command: str
    """Its command line, shortened."""
    seconds: float
    """How long it has been running."""
    ports: tuple[int, ...]
    """The TCP ports on which it listens, in their order."""


class Missing(Protocol):
    """Gives the reason why a language cannot run, or None if it can."""

    def __call__(self, environ: Mapping[str, str] | None = None) -> str | None: ...


class Process(Protocol):
    """The process of one language in one conversation. It keeps its state between blocks."""

    async def start(self) -> None:
        """Start the process ahead of need; `run` does so itself.

        Raises:
            NotInstalledError: it cannot be started; the message says what to change.
        """
        ...

    def run(
        self, code: str, begun: Callable[[], object] | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Run one block. See `oi_daemon.conversation.collaborators.Execution.run`.

        Args:
            begun: called once the process has got the block.
        """
        ...

    def detach(self, sentence: str) -> AsyncGenerator[Chunk, None] | None:
        """Let the block that runs go on in the background: its `run` ends at once.

        Returns the chunks that are still to come, the block's end included; None if no block runs.

        Args:
            sentence: is added to the output before its `run` ends.
        """
        ...

    def interrupt(self) -> None:
        """Stop the block that runs. Does nothing if none runs."""
        ...

    async def answer(self, input: str, value: str | None) -> bool:
        """Give the code a line that it waits for.

        Args:
            input: id of the request for input.
            value: the line without its newline; None is end of file.

        Returns:
            False if no request of this id waits.
        """
        ...

    def started(self) -> list[StartedProcess]:
        """What the code has started and what runs now, such as servers.

        Reads much of /proc, so an event loop calls it in a thread.
        """
        ...

    async def look_up(self, lookup: Lookup) -> bytes | None:
        """Answer a lookup as JSON, in the shape of `oi_daemon.protocol.lookups`.

        Never starts a process: without one, the answer is an empty object.

        Returns:
            None if it does not answer now, or never does.
        """
        ...

    async def close(self) -> None:
        """End the process and everything that it started."""
        ...


@dataclass(frozen=True, kw_only=True)
class Language:
    """Describes a language: how it is called, started, shown and edited."""

    name: str
    """The language's name on the wire and in stored messages."""
    aliases: tuple[str, ...]
    """Other names by which a model or a user may call the language."""
    start: Callable[[Workplace], Process]
    """Makes the language's `Process` for a workplace. The system's process starts at first need."""
    missing: Missing = lambda environ=None: None
    """Gives the reason why the language cannot run in an environment, by default this process's, or
    None if it can."""
    path: Callable[[Workplace], str | None] = lambda workplace: None
    """Gives the path of the program that runs the language at a workplace, or None if there is
    none.  Raises NotInstalledError if a setting names a program that does not exist. """
    suffix: str = ".txt"
    """Suffix of the language's files, as in `.py`. An editor recognizes the language by it."""
    lexer: str = "text"
    """Name of the Pygments lexer that highlights the language."""
    vscode: tuple[str, ...] = ()
    """Language ids of VS Code that mean this language. Code is shown under the first one."""
    neovim: tuple[str, ...] = ()
    """Filetypes of Neovim that mean this language. Code is shown under the first one."""
