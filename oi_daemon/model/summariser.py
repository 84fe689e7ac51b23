"""Lets the model summarise the oldest part of its conversation. See `compaction`."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from oi_daemon.errors import ModelError
from oi_daemon.messages import AssistantMessage, Message, MessageChunk, NoticeChunk
from oi_daemon.messages.summaries import marked
from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model.backend import RequestContent
from oi_daemon.model.compaction import Plan
from oi_daemon.model.dialects.parts import ReplyPart
from oi_daemon.model.request import ModelRequest

Ask = Callable[
    [ModelRequest, RequestContent], AsyncGenerator[ReplyPart | NoticeChunk | Quote | Usage, None]
]
"""Function that sends a request with this content and yields its answer. It raises ModelError."""
Part = MessageChunk | NoticeChunk | Quote | Usage
"""What is yielded while a summary is made: notices, quotes and usage, and its text at the end."""


class Summariser:
    """Makes the summaries of one turn."""

    def __init__(self) -> None:
        self._gave_up = False
        """True once the model could not summarise the conversation."""
        self._summary = ""
        """The latest summary, with its marks."""

    async def if_full(
        self, request: ModelRequest, messages: Sequence[Message], ask: Ask
    ) -> AsyncGenerator[Part, None]:
        """Summarise the conversation's oldest part if the window is nearly full.

        If the model cannot do that, a notice says so, and older messages are left out instead.
        """
        self._summary = ""
        plan = None if self._gave_up else await request.plan_compaction(messages)
        if plan is None:
            return
        yield NoticeChunk("compaction", _SUMMARISING.format(window=request.window))
        try:
            async with aclosing(self._summarise(request, plan, ask)) as parts:
                async for part in parts:
                    yield part
        except ModelError as error:
            self._gave_up = True
            yield NoticeChunk("compaction", _NOT_SUMMARISED.format(error=error))

    async def now(
        self, request: ModelRequest, messages: Sequence[Message], ask: Ask
    ) -> AsyncGenerator[Part, None]:
        """Summarise the conversation's oldest part, however much room is left.

        Raises:
            ModelError: the model cannot do that.
        """
        if request.endpoint.is_small:
            raise ModelError(_TOO_SMALL)
        plan = await request.plan_compaction(messages, forced=True)
        if plan is None:
            yield NoticeChunk("compaction", _TOO_LITTLE)
            return
        async with aclosing(self._summarise(request, plan, ask)) as parts:
            async for part in parts:
                yield part

    def with_summary(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Return the messages, followed by the summary that `if_full` has just made, if any."""
        return [*messages, AssistantMessage(self._summary)] if self._summary else messages

    async def _summarise(
        self, request: ModelRequest, plan: Plan, ask: Ask
    ) -> AsyncGenerator[Part, None]:
        """Ask for a summary of each piece, which includes the one before; yield the last summary.

        Raises:
            ModelError: the model cannot go on, or has written nothing.
        """
        text = ""
        for piece in plan.pieces:
            written: list[str] = []
            async with aclosing(ask(request, request.summary_content(piece, text))) as parts:
                async for part in parts:
                    if isinstance(part, MessageChunk):
                        written.append(part.text)
                    elif isinstance(part, NoticeChunk | Quote | Usage):
                        yield part
            text = "".join(written).strip()
            if not text:
                raise ModelError("The model wrote no summary.")
        self._summary = marked(text, plan.covered)
        yield MessageChunk(f"{self._summary}\n\n")


_SUMMARISING = (
    "The conversation nearly fills the model's context window ({window:,} tokens): its oldest part"
    " is being summarised."
)
_NOT_SUMMARISED = "The conversation was not summarised. Older messages are left out. {error}"
_TOO_SMALL = (
    "A small model on this machine cannot summarise a conversation. What does not fit is left out."
)
_TOO_LITTLE = "There is too little to summarise."
