"""Chunks and stored messages as dictionaries, for type checkers.

These are the types of what the library gives: `Interpreter.chat(..., stream=True)` yields
`ChunkDict`, `Interpreter.messages` is a list of `MessageDict`. At runtime they are plain
dictionaries.
"""

from collections.abc import Generator
from typing import Any, Literal, NotRequired, Required, TypeAlias, TypedDict

ApprovalDecision: TypeAlias = Literal["run", "skip", "stop", "always"]
"""The answer to a block that waits. `always` runs it, and all later ones without a question."""


class ExecutingDict(TypedDict):
    """A block of code that is about to run."""

    code: str
    language: str


class InputDict(TypedDict):
    """A request of the running code for a line of input."""

    prompt: str
    password: bool
    """True if the line should not be shown while it is typed."""


class DeclinedDict(TypedDict):
    """Why a block was not run."""

    by: Literal["skip", "stop", "gone"]
    """`skip` and `stop` are a person's answers; `gone` means that nobody could be asked."""


class NoticeDict(TypedDict):
    """Something that a person should know now, such as a retry or a failed save."""

    kind: str
    message: str
    seconds: NotRequired[float]
    """Seconds that what is announced takes, such as the wait before a retry, if that is known."""
    block: NotRequired[int]
    """Of `files`: the number of the block that has changed files."""
    files: NotRequired[list[dict[str, Any]]]
    """Of `files`: the `path`, `change` and `size` of each, at most 200."""


class EventDict(TypedDict):
    """Something that another client of the conversation may have done."""

    kind: str
    """`begun`, `answered`, `ended` or `changed`."""
    message: NotRequired[str]
    """Of `begun`, the person's words; of a turn that failed, the error."""
    approval: NotRequired[str]
    input: NotRequired[str]
    status: NotRequired[str]


class BackgroundDict(TypedDict):
    """Something happens in a block that runs in the background."""

    block: str
    """The block's id."""
    chunk: "ChunkDict"
    """What happens in it."""
    result: NotRequired["ResultDict"]
    """With its end: how the block ended."""


class ChunkDict(TypedDict, total=False):
    """The smallest thing that happens in a turn. It has exactly one of these keys."""

    message: str
    language: str
    code: str
    executing: ExecutingDict
    active_line: int | None
    output: str
    end_of_execution: Literal[True]
    display: dict[str, Any]
    input: InputDict
    declined: DeclinedDict
    thinking: str
    notice: NoticeDict
    event: EventDict
    background: BackgroundDict


ChunkStream: TypeAlias = Generator[ChunkDict, None, None]
"""The chunks of a turn as they happen. Closing it stops the turn."""


class ErrorDict(TypedDict):
    """The error that ended a block."""

    name: str
    message: str
    traceback: list[str]


class ResultDict(TypedDict):
    """How a block ended."""

    status: Literal["ok", "error", "interrupted", "killed"]
    """How the block ended. `error`: its code raised, or its exit status is not 0; `killed`: its
    process ended."""
    seconds: float
    """Seconds that the block took."""
    exit: NotRequired[int]
    """The block's exit status, if it has one."""
    error: NotRequired[ErrorDict]
    """The error that ended the block, if its language tells it."""


class MessageDict(TypedDict, total=False):
    """A stored message: `message` is text, `language` and `code` are a block of code."""

    role: Required[Literal["user", "assistant"]]
    message: str
    language: str
    code: str
    output: str
    """What the block wrote. Left out if it was not run."""
    displays: list[dict[str, Any]]
    """Pictures, tables and pages that the block has shown, as Jupyter MIME bundles; beside the
    person's words, pictures that go with them."""
    status: Literal["error", "interrupted", "killed", "declined"]
    """How the block ended. Left out if it simply ran."""
    error: ErrorDict


class UsageDict(TypedDict):
    """What all turns of a session have used."""

    input_tokens: int
    output_tokens: int
    cost: float
    """US dollars of the requests whose price is known."""
    unpriced: int
    """Number of requests whose price is not known."""
    about: NotRequired[bool]
    """Whether requests were counted by the price of an earlier version of their model."""


class TurnUsageDict(TypedDict):
    """What one turn has used."""

    input_tokens: int
    output_tokens: int
    cost: float | None
    """US dollars; None if the price is not known."""
    about: NotRequired[bool]
    """Whether the cost is by the price of an earlier version of the model."""


class LastTurnDict(TypedDict, total=False):
    """How the latest turn ended. Empty if there was none, or if it failed."""

    status: Literal["done", "interrupted", "stopped", "budget", "background"]
    usage: TurnUsageDict
    thinking: str
    """What the model told of its thinking. Left out if it told nothing."""


class SavedConversationDict(TypedDict):
    """A conversation that is kept on disk."""

    conversation: str
    """The conversation's id."""
    title: str
    updated: str
    """When the conversation was last changed: ISO 8601, UTC."""
    messages: int
    """Number of the conversation's messages."""
    snippet: NotRequired[str]
    """Where the query was found: the words around it."""


class PassedOverDict(TypedDict):
    """A file in the folder of conversations that is not in the list."""

    name: str
    why: str
    """Why it is not, in words that follow on the name."""


class RunningConversationDict(TypedDict):
    """A conversation that a daemon holds in memory."""

    conversation: str
    """The conversation's id."""
    state: str
    """What the conversation is doing: `idle`, `running`, `approval`, ..."""
    title: str
    """The conversation's first words, or the first code."""
    messages: int
    """Number of the conversation's messages."""


class SavedPageDict(TypedDict):
    """A page of the saved conversations."""

    conversations: list[SavedConversationDict]
    cursor: NotRequired[str]
    """Where the next page begins. Left out on the last page."""
    passed_over: NotRequired[list[PassedOverDict]]
    """On the first page without a query: files in the folder that are left out, if there are."""


class ColumnDict(TypedDict):
    """A column of a table."""

    name: str
    type: str


class VariableDict(TypedDict):
    """A variable of a language process."""

    name: str
    type: str
    """The language's own name of the variable's type, such as `DataFrame`."""
    language: str
    preview: str
    """A short text for the value. Empty if there was no time for it."""
    size: NotRequired[int]
    """How many items or characters the value has."""
    shape: NotRequired[list[int]]
    """Sizes of the dimensions of an array or a table."""
    bytes: NotRequired[int]
    """Bytes of an array or a table, without the objects that its values only refer to."""
    columns: NotRequired[list[ColumnDict]]
    """The first 100 columns of a table."""


class WantedFilesDict(TypedDict, total=False):
    """Which files are meant."""

    path: str
    block: int
    turn: int


class FileEntryDict(TypedDict):
    """What a block, or an undo, has done to a path."""

    path: str
    """Relative to the folder in which code runs, if it is inside."""
    change: Literal["created", "changed", "deleted"]
    kind: Literal["file", "folder", "link", "pipe"]
    size: int
    """Bytes; of what was deleted, before."""
    was: NotRequired[int]
    """Bytes before, if the content was changed."""
    mode: NotRequired[str]
    """Changed permissions."""
    lost: NotRequired[str]
    """Why it cannot be undone."""
    undone: NotRequired[bool]


class FileBlockDict(TypedDict):
    """What a block, or an undo, has done to files."""

    block: int
    """The block's number in the conversation."""
    files: list[FileEntryDict]
    turn: NotRequired[int]
    language: NotRequired[str]
    """Left out for an undo."""
    undoes: NotRequired[list[int]]
    """Of an undo: the numbers that it undid."""
    cut_off: NotRequired[bool]
    """Whether the daemon was killed during the block."""


class FileDiffDict(TypedDict):
    """A file before and after."""

    block: int
    file: FileEntryDict
    before: str | None
    """The text; None if the file was not there, or if `text` is false."""
    after: str | None
    text: bool
    """Whether both are text, and kept."""
    diff: str
    """As `diff -u` writes it."""


class RefusalDict(TypedDict):
    """A path that an undo has left as it is."""

    path: str
    why: str


class FilesUndoneDict(TypedDict):
    """What an undo has done."""

    block: int | None
    """The number of the undo, which can itself be undone. None if there was nothing to undo."""
    files: list[FileEntryDict]
    refused: list[RefusalDict]


class CompletionsDict(TypedDict):
    """What may stand at a place in code."""

    matches: list[str]
    kinds: list[str]
    """What each match is, in a word, such as `function` or `key`."""
    start: int
    """Where the text begins that a match replaces, counted in characters of the code."""
    end: int


class LocalServerDict(TypedDict):
    """A model server that was found on this machine."""

    api_base: str
    models: list[str]
    """Names of the server's models that can chat."""


class LanguageDict(TypedDict):
    """A language that code can be written in."""

    name: str
    aliases: list[str]
    available: bool
    """Whether code in this language can run on this machine."""
    why: NotRequired[str]
    """Why the language is not available."""
    path: NotRequired[str]
    """Path of the program that runs the language."""
    version: NotRequired[str]
    """Version of the program that runs the language."""
    suffix: str
    """Suffix of the language's files, as in `.py`."""
    lexer: str
    """Name of the Pygments lexer that highlights the language."""
    vscode: list[str]
    """Language ids of VS Code that mean this language. Code is shown under the first one."""
    neovim: list[str]
    """Filetypes of Neovim that mean this language. Code is shown under the first one."""
