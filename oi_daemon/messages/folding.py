"""The fold: turns the chunks of a turn into the messages that are stored."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, assert_never

from oi_daemon.messages.chunks import (
    ActiveLine,
    BackgroundChunk,
    Chunk,
    CodeChunk,
    Declined,
    Display,
    EndOfExecution,
    EventChunk,
    Executing,
    InputRequest,
    LanguageChunk,
    MessageChunk,
    NoticeChunk,
    Output,
    ThinkingChunk,
)
from oi_daemon.messages.stored import (
    AssistantMessage,
    BlockStatus,
    CodeMessage,
    Message,
    with_result,
)
from oi_daemon.messages.summaries import is_summary, separated
from oi_daemon.messages.written import Written


class Fold:
    """Folds chunks into messages, in a time that grows linearly with their length."""

    def __init__(self) -> None:
        self._done: list[Message] = []
        """The messages that are finished."""
        self._open: MessageChunk | LanguageChunk | None = None
        """The chunk that began the message that may still grow; None if there is none."""
        self._parts: list[str] = []
        """The pieces of the open message's text or code."""
        self._written: Written | None = None
        """What the open code message has written; None while it has not run."""
        self._end = EndOfExecution()
        """How the open code message ended, if it has."""
        self._declined = False
        """True if the open code message was declined."""
        self._provider: Mapping[str, Any] | None = None
        """Data that the model's server needs back with the open message."""

    @property
    def messages(self) -> list[Message]:
        """The messages so far. The last one may still grow."""
        return [*self._done, *self._current()]

    def add(self, chunk: Chunk) -> None:
        """Take the next chunk of the turn."""
        match chunk:
            case MessageChunk():
                self._add_text(chunk)
            case LanguageChunk():
                self._begin(chunk)
            case CodeChunk(text):
                self._parts.append(text)
            case Executing():
                self._set_code(chunk)
            case Output(text):
                self._output().write(text)
            case Display(data):
                self._output().show(data)
            case EndOfExecution():
                self._output()
                self._end = chunk
                self.close()
            case Declined():
                self._declined = True
                self.close()
            case (
                ActiveLine()
                | InputRequest()
                | ThinkingChunk()
                | NoticeChunk()
                | EventChunk()
                | BackgroundChunk()
            ):
                pass
            case _:
                assert_never(chunk)

    @property
    def finished(self) -> int:
        """How many of `messages` are finished. What comes next can change only those after."""
        return len(self._done)

    @property
    def unfinished(self) -> list[Chunk]:
        """The chunks of the message that may still grow, as few as possible; none without one.

        A new fold that takes them goes on as this one does: a message alone does not tell where an
        output's cursor is.
        """
        text = "".join(self._parts)
        match self._open:
            case MessageChunk():
                return [MessageChunk(text)]
            case LanguageChunk():
                written = self._written.parts if self._written else ()
                output = [Output(p) if isinstance(p, str) else Display(p) for p in written]
                begun = [Output("")] if self._written and not output else []
                return [self._open, CodeChunk(text), *begun, *output]
            case None:
                return []

    def close(self) -> None:
        """Finish the last message, so that what comes next begins another one."""
        self._done += self._current()
        self._open = None
        self._parts = []
        self._written = self._provider = None
        self._end = EndOfExecution()
        self._declined = False

    def _begin(self, chunk: MessageChunk | LanguageChunk) -> None:
        self.close()
        self._open = chunk

    def _add_text(self, chunk: MessageChunk) -> None:
        if not isinstance(self._open, MessageChunk):
            self._begin(MessageChunk(""))
        self._parts.append(chunk.text)
        self._provider = chunk.provider or self._provider

    def _set_code(self, block: Executing) -> None:
        if not isinstance(self._open, LanguageChunk) or self._written is not None:
            self.close()
        self._open = LanguageChunk(block.language)
        self._parts = [block.code]
        self._provider = block.provider

    def _output(self) -> Written:
        self._written = self._written or Written()
        return self._written

    def _current(self) -> list[Message]:
        text = "".join(self._parts)
        match self._open:
            case MessageChunk():
                messages = [AssistantMessage(part) for part in separated(text)]
                return [self._with_provider(message) for message in messages]
            case LanguageChunk(language):
                return [self._code(language, text)]
            case None:
                return []

    def _with_provider(self, message: AssistantMessage) -> AssistantMessage:
        """Return a message; a summary gets the data that came with it."""
        if self._provider is None or not is_summary(message):
            return message
        return replace(message, provider=self._provider)

    def _code(self, language: str, code: str) -> CodeMessage:
        status: BlockStatus | None = "declined" if self._declined else None
        if self._written is None:
            return CodeMessage(language, code, status=status, provider=self._provider)
        block = CodeMessage(
            language,
            code,
            self._written.text.removesuffix("\n"),
            self._written.displays,
            status=status,
            provider=self._provider,
        )
        return with_result(block, self._end.result) if self._end.result else block


def fold(chunks: Iterable[Chunk]) -> list[Message]:
    """The messages into which these chunks fold."""
    folding = Fold()
    for chunk in chunks:
        folding.add(chunk)
    return folding.messages
