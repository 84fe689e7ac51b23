"""What the terminal needs of a conversation. The library's `Interpreter` has all of it."""

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import Literal, Protocol

from oi_daemon.messages.shapes import (
    ApprovalDecision,
    ChunkStream,
    FileBlockDict,
    FileDiffDict,
    FilesUndoneDict,
    LanguageDict,
    LastTurnDict,
    MessageDict,
    ResultDict,
    RunningConversationDict,
    UsageDict,
    VariableDict,
)
from oi_daemon.settings.shapes import SandboxMode


class Answerable(Protocol):
    """A conversation whose blocks and requests for input can be answered."""

    @property
    def awaits_approval(self) -> bool: ...

    def approve(self, decision: ApprovalDecision, code: str | None = None) -> None: ...

    def input(self, value: str | None) -> None: ...

    def languages(self) -> list[LanguageDict]: ...


class TerminalConversation(Answerable, Protocol):
    """A conversation that a person has at the prompt."""

    model: str
    auto_run: bool
    debug_mode: bool
    show_usage: bool
    conversation_history: bool
    max_budget: float | None
    sandbox: SandboxMode

    @property
    def messages(self) -> list[MessageDict]: ...

    @messages.setter
    def messages(self, messages: Sequence[Mapping[str, object]]) -> None: ...

    @property
    def usage(self) -> UsageDict: ...

    @property
    def last_turn(self) -> LastTurnDict: ...

    @property
    def last_result(self) -> ResultDict | None: ...

    def start(self) -> None: ...

    def running(self) -> list[RunningConversationDict]: ...

    def attach(
        self, conversation: str | None = None
    ) -> tuple[list[MessageDict], ChunkStream | None]: ...

    def chat(
        self,
        message: str,
        *,
        stream: Literal[True],
        display: Literal[False],
        files: Iterable[str | PathLike[str]] = (),
    ) -> ChunkStream: ...

    def execute(self, language: str, code: str, *, stream: Literal[True]) -> ChunkStream: ...

    def models(self) -> list[str]: ...

    def undo(self) -> list[MessageDict]: ...

    def file_changes(self) -> list[FileBlockDict]: ...

    def file_diffs(
        self, path: str | None = None, *, block: int | None = None, turn: int | None = None
    ) -> list[FileDiffDict]: ...

    def undo_files(
        self,
        path: str | None = None,
        *,
        block: int | None = None,
        turn: int | None = None,
        redo: bool = False,
    ) -> FilesUndoneDict: ...

    def compact(self) -> list[MessageDict]: ...

    def variables(self) -> list[VariableDict]: ...

    def reset(self) -> None: ...
