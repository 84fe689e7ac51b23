"""What the model side needs of each API by which a server can be asked."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from oi_daemon.messages import Message
from oi_daemon.messages.written import Bundle
from oi_daemon.model.capabilities import Capabilities
from oi_daemon.model.dialects.instructions import ToolStyle
from oi_daemon.model.dialects.parts import MalformedCall, ReplyPart
from oi_daemon.model.dialects.thinking import thinks_marked, thinks_unmarked
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.environment import Environment
from oi_daemon.model.functions import ToolFunction
from oi_daemon.model.prices import TokenCounts
from oi_daemon.settings import Settings


@dataclass(frozen=True, kw_only=True)
class RequestContent:
    """What a request says, before a backend puts it into the form of its API."""

    settings: Settings
    endpoint: Endpoint
    capabilities: Capabilities
    style: ToolStyle
    system: str
    """The system message, with the instructions for this style."""
    messages: Sequence[Message]
    """The part of the conversation that fits into the context window."""
    environment: Environment
    """Where code runs."""
    folder_facts: str = ""
    """What a small model is told about the folder's files."""
    compact_threshold: int | None = None
    """Tokens from which on the server should summarise the conversation; None if it should not."""
    covered: int = 0
    """How many messages the conversation has, which a summary of the server's would cover."""
    left_out: int = 0
    """How many messages do not fit, and are left out."""
    pictures: Sequence[Bundle]
    """Displays in `messages` whose pictures are sent."""
    languages: Sequence[str]
    functions: Sequence[ToolFunction] = ()
    """Functions that the model may call beside `execute`."""
    malformed: Sequence[MalformedCall] = ()
    """Unreadable calls of the previous reply, which the request reports to the model."""

    @property
    def begins_thinking(self) -> bool:
        """Whether the answer's text is taken for thinking until an end tag comes.

        In the style `markdown` the first reply of an unknown model is, because code that it writes
        while it thinks must not run.
        """
        known = self.capabilities.thinks_unmarked
        if known is not None or self.endpoint.is_small:
            return bool(known)
        model = self.endpoint.model
        return thinks_unmarked(model) or (self.style == "markdown" and not thinks_marked(model))


class ReplyReader(Protocol):
    """Reads one answer: bytes in, parts of the reply out."""

    @property
    def finish_reason(self) -> str | None:
        """Why the model stopped; None if the server has not said so (yet)."""
        ...

    @property
    def is_complete(self) -> bool:
        """Whether the model itself has ended its reply, so that its code may run."""
        ...

    @property
    def counts(self) -> TokenCounts | None:
        """The tokens as the server counted them; None if it has not (yet)."""
        ...

    @property
    def written(self) -> int:
        """Characters that the model has written so far, without its thinking."""
        ...

    @property
    def malformed(self) -> Sequence[MalformedCall]:
        """Calls that could not be read. Complete after `finish`."""
        ...

    def feed(self, data: bytes) -> Iterable[list[ReplyPart]]:
        """Yield the parts that these bytes complete, after a bounded time each.

        Raises:
            UnreadableAnswerError: they are no answer of this API.
            StreamedError: they hold an error of the server.
            ServerLimitError: the answer exceeds a bound of `limits`.
        """
        ...

    def end(self) -> Iterable[list[ReplyPart]]:
        """Yield the parts that the end of the connection completes. Raises as `feed` does."""
        ...

    def finish(self) -> list[ReplyPart]:
        """Return what is left of the reply, after its end or after an error.

        A block of code that is not complete does not become `Executing`.
        """
        ...


class Backend(Protocol):
    """One API of a server."""

    @property
    def path(self) -> str:
        """The path of its URL after `api_base`, such as `/chat/completions`."""
        ...

    def payload(self, content: RequestContent) -> dict[str, Any]:
        """Return the request's body."""
        ...

    def text(self, payload: dict[str, Any], *, instructions: bool) -> str:
        """Return the text of the body's messages, without pictures, to count its tokens.

        Args:
            instructions: whether the system message is included.
        """
        ...

    def reader(self, content: RequestContent, is_language: Callable[[str], bool]) -> ReplyReader:
        """Return a reader for the answer to this request."""
        ...
