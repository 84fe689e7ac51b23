"""Summaries that take the place of a conversation's oldest part, so that it fits the window.

A summary is text of an assistant's message, between two lines that mark it: it is shown as it is,
stored with the conversation and removed by an undo like any other message. Nothing is removed from
the conversation itself: only what the model gets begins with the latest summary, followed by the
messages that it does not cover.

OpenAI's `/responses` summarises by itself, and encrypts the summary: it is data that is stored with
a message that stands for it. For another server or model it does not exist.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.messages.summaries import (
    StoredSummary,
    is_readable,
    is_summary,
    latest_summary,
    without_summaries,
)
from oi_daemon.model.dialects.block_text import readable
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.provider import data_tokens, provider_data
from oi_daemon.model.tokens import Tokenizer, estimate
from oi_daemon.model.trimming import sizes_of

FULL = 0.8
"""The share of the room above which the oldest part is summarised."""
KEPT = 0.3
"""About the share of the room that the messages which are not summarised take."""
WORTHWHILE = 0.1
"""The share of the room that a part must have to be summarised."""
SMALLEST_WINDOW = 4_000
"""Tokens of the smallest context window in which a summary is worth its place and its request."""
MOST_PIECES = 12
"""Most requests for one summary. If the messages need more, the middle of each message is cut
out."""
LONGEST_MESSAGE = 400
"""Tokens of one message that are summarised at most."""

INSTRUCTIONS = """\
You write the summary of a conversation between a user and an assistant that runs code on the \
user's machine. It takes the place of the conversation: the assistant will know nothing else of \
it. Keep what the user wants and has said about themselves, their data and how they like things; \
what was decided; facts, numbers, names, paths; which variables, functions and files exist now; \
what failed, and why; what is still to be done. Leave out what does not matter any more. Write at \
most 400 words of plain text, in the language of the conversation, and no code to be run."""

_READ = (
    "(A summary of the conversation so far, which takes the place of its first {} messages:)\n{}"
)
_LEFT_OUT = "(The first {} messages of this conversation are left out here: they do not fit.)"


@dataclass(frozen=True, slots=True)
class Visible:
    """What the model gets of a conversation: the latest summary, and what follows it."""

    summary: str | AssistantMessage | None
    """The summary as text for the model, or as a message with data of the server's; None if there
    is none."""
    rest: Sequence[Message]

    def messages(self) -> Sequence[Message]:
        """Return the summary and the rest as messages."""
        match self.summary:
            case None:
                return self.rest
            case str(text):
                return preceded_by(text, self.rest)
            case message:
                return [message, *self.rest]

    def tokens(self) -> int:
        """Return about how many tokens the summary costs."""
        match self.summary:
            case None:
                return 0
            case str(text):
                return estimate(text)
            case message:
                return data_tokens(message)


def visible(messages: Sequence[Message], reader: Endpoint | None = None) -> Visible:
    """Return what the model gets of a conversation.

    Args:
        reader: the endpoint that gets its own summaries back; None if there is none.
    """

    def is_usable(message: AssistantMessage) -> bool:
        return is_readable(message) or bool(provider_data(message, reader).items)

    summary = latest_summary(messages, is_usable)
    if summary is None:
        hidden = not all(map(_tells, messages))
        return Visible(None, list(filter(_tells, messages)) if hidden else messages)
    rest = list(filter(_tells, _uncovered(messages, summary)))
    if summary.provider is not None:
        return Visible(AssistantMessage("", summary.provider), rest)
    asked = max((i for i, m in enumerate(messages) if isinstance(m, UserMessage)), default=-1)
    kept = [messages[asked]] if 0 <= asked < summary.covered else []
    return Visible(_READ.format(summary.covered, summary.text), [*kept, *rest])


def _tells(message: Message) -> bool:
    """Return whether a message is more than a sign that a server has made a summary."""
    return not (
        isinstance(message, AssistantMessage)
        and message.provider is not None
        and is_summary(message)
    )


def with_note(messages: Sequence[Message], left_out: int) -> Sequence[Message]:
    """Return the messages, with a note for the model about those that are left out, if any are."""
    return preceded_by(_LEFT_OUT.format(left_out), messages) if left_out else messages


def preceded_by(text: str, messages: Sequence[Message]) -> list[Message]:
    """Return the messages with a text before them: in the first one, if that is the user's."""
    if messages and isinstance(messages[0], UserMessage):
        first = replace(messages[0], message=f"{text}\n\n{messages[0].message}")
        return [first, *messages[1:]]
    return [UserMessage(text), *messages]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the oldest part of a conversation is summarised."""

    covered: int
    """How many messages the new summary covers, counted from the first one."""
    pieces: Sequence[str]
    """The part as text, in pieces that fit a request each."""


def plan(
    messages: Sequence[Message], *, room: int, kept: int, max_output: int, tokenizer: Tokenizer
) -> Plan | None:
    """Return how to summarise the oldest part; None if that would save too little.

    Args:
        room: tokens of a request.
        kept: tokens of the newest messages, which are not summarised.
        max_output: tokens of a block's output that the model gets.
    """
    summary = latest_summary(messages)
    first = summary.covered if summary else 0
    sizes = sizes_of(messages[first:], max_output, tokenizer)
    covered = _boundary(messages, first, sizes, kept)
    if covered <= first or sum(sizes[: covered - first]) < room * WORTHWHILE:
        return None
    part = [_text(message, tokenizer) for message in messages[first:covered]]
    limit = max(room // 2, 64)
    pieces = list(_pieces(part, limit, tokenizer))
    if len(pieces) > MOST_PIECES:
        each = max(limit * MOST_PIECES // len(part), 4)
        pieces = list(_pieces([tokenizer.cut(text, each) for text in part], limit, tokenizer))
    pieces = pieces[-MOST_PIECES:]
    if summary:
        pieces[0] = f"Summary so far: {summary.text}\n\n{pieces[0]}"
    return Plan(covered, pieces)


def request_text(piece: str, so_far: str) -> str:
    """Return the words of a request for a summary.

    Args:
        so_far: the summary of the pieces before this one.
    """
    before = f"Summary so far: {so_far}\n\n" if so_far else ""
    return f"{before}{piece}\n\nNow write the summary of all this."


def _uncovered(messages: Sequence[Message], summary: StoredSummary) -> list[Message]:
    """Return the messages that a summary does not cover, without the summary itself."""
    rest: list[Message] = [AssistantMessage(summary.rest)] if summary.rest else []
    before = messages[summary.covered : summary.index]
    return [*before, *rest, *messages[summary.index + 1 :]]


def _boundary(messages: Sequence[Message], first: int, sizes: Sequence[int], kept: int) -> int:
    """Return the index of the first message that is not summarised.

    It is the person's words if possible, and never a call in the middle of a reply.
    """
    index = len(messages)
    while index > first and kept > 0:
        index -= 1
        kept -= sizes[index - first]
    after = [i for i in range(index, len(messages)) if i > first]
    asked = (i for i in after if isinstance(messages[i], UserMessage))
    begins = (i for i in after if _begins_reply(messages, i))
    return next(asked, next(begins, first))


def _begins_reply(messages: Sequence[Message], index: int) -> bool:
    """Return whether a message surely begins a reply of the model, or is the person's."""
    message = messages[index]
    if not isinstance(message, CodeMessage):
        return True
    joined = bool(message.provider and message.provider.get("joined"))
    return isinstance(messages[index - 1], CodeMessage) and not joined


def _text(message: Message, tokenizer: Tokenizer) -> str:
    """Return a message as text for the summary, cut if it is long."""
    match message:
        case UserMessage(text):
            return f"User: {tokenizer.cut(text, LONGEST_MESSAGE)}"
        case AssistantMessage(text):
            text = without_summaries(text)
            return f"Assistant: {tokenizer.cut(text, LONGEST_MESSAGE)}" if text else ""
        case CodeMessage(language, code, output):
            code = tokenizer.cut(code, LONGEST_MESSAGE // 2)
            output = tokenizer.cut(readable(output), LONGEST_MESSAGE // 2)
            return f"Assistant ran {language}: {code}\nOutput: {output}"


def _pieces(texts: Sequence[str], limit: int, tokenizer: Tokenizer) -> Iterator[str]:
    """Yield the texts joined to pieces of about `limit` tokens."""
    piece: list[str] = []
    size = 0
    for text in texts:
        count = tokenizer.count(text)
        if piece and size + count > limit:
            yield "\n\n".join(piece)
            piece, size = [], 0
        piece.append(text)
        size += count
    if piece:
        yield "\n\n".join(piece)
