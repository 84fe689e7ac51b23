"""A turn that went on while the connection to its daemon was lost."""

from collections import deque
from typing import TYPE_CHECKING, cast

from oi_daemon.client.active_turn import SeenChunk, TurnOutcome, folded
from oi_daemon.client.followed_turn import FollowedTurn
from oi_daemon.errors import ConnectionLostError, OIError
from oi_daemon.messages import Fold
from oi_daemon.protocol.chunks import from_wire, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from oi_daemon.client.active_turn import ActiveTurn
    from oi_daemon.client.remote import RemoteConversation
    from oi_daemon.messages.shapes import (
        ApprovalDecision,
        ChunkDict,
        LastTurnDict,
        MessageDict,
        ResultDict,
        UsageDict,
    )

_NO_USAGE: "UsageDict" = {"input_tokens": 0, "output_tokens": 0, "cost": 0.0, "unpriced": 0}
_CLEAR = "\x1b[H\x1b[2J"
"""Terminal codes that clear what a block has shown."""


class ResumedTurn:
    """Goes on with a turn from the last chunk that came before the connection was lost."""

    def __init__(
        self, remote: "RemoteConversation", lost: "ActiveTurn | ResumedTurn", before: int
    ) -> None:
        """Attach to the conversation.

        Args:
            remote: the conversation, over the new connection.
            lost: the turn as it was.
            before: how many messages the conversation had before the turn.

        Raises:
            ConnectionLostError: the turn never began, or the connection is lost again.
        """
        attached = remote.attach()
        self.remote = remote
        self._followed = FollowedTurn(remote, attached)
        self._followed.skip_early()
        self._before = before
        self._usage = remote.usage()
        self.seen: list[SeenChunk] = [*lost.seen]
        """All chunks that have come so far, in both parts of the turn."""
        self._asked = lost.asked
        added = [*self._followed.before[before:], *self._followed.messages]
        if not added and not self._followed.is_under_way:
            raise ConnectionLostError(
                "The connection was lost before your words arrived. Ask once more."
            )
        finished = [each for each in self._followed.settled[before:] if each["role"] != "user"]
        unfinished = cast("list[ChunkDict]", attached.turn.unfinished if attached.turn else [])
        self._missing = deque(_missing(self.seen, finished, unfinished))
        """Chunks that nobody has taken yet of what happened meanwhile."""
        last = self.seen[-1].chunk if self.seen else {}
        if attached.turn and (approval := attached.turn.approval) and "executing" not in last:
            self._missing.append(
                {"executing": {"code": approval.code, "language": approval.language}}
            )
        if attached.turn and (asked := attached.turn.input) and "input" not in last:
            self._missing.append({"input": {"prompt": asked.prompt, "password": asked.password}})

    @property
    def asked(self) -> "list[MessageDict]":
        """The messages that the request itself has added to the conversation."""
        return self._asked

    @property
    def latest_result(self) -> "ResultDict | None":
        """How the latest block ended that ended since; None if none did."""
        return self._followed.latest_result

    def next_chunk(self) -> "ChunkDict | None":
        """Wait for the next chunk; None once the turn has ended."""
        chunk = self._missing.popleft() if self._missing else self._followed.next_chunk()
        if chunk is not None:
            self.seen.append(SeenChunk(chunk, None))
        return chunk

    @property
    def awaits_approval(self) -> bool:
        """Whether the latest chunk is a block that waits to be approved."""
        return self._followed.awaits_approval and not self._missing

    def approve(self, decision: "ApprovalDecision", code: str | None = None) -> None:
        """Answer the block that waits, if one does."""
        if self.awaits_approval:
            self._followed.approve(decision, code)

    def answer_input(self, value: str | None) -> None:
        """Give the running code the line that it waits for, if it does; None is end of file."""
        if not self._missing:
            self._followed.answer_input(value)

    def interrupt(self) -> None:
        """Stop the turn, from any thread and at any time; it still gives its outcome."""
        self._followed.interrupt()

    def outcome(self) -> TurnOutcome:
        """Return how the turn went, after its end.

        Raises:
            OIError: the turn failed, or the daemon is gone.
        """
        if self._followed.failure:
            raise OIError(self._followed.failure)
        messages = self.remote.messages()[self._before :]
        summary = cast("LastTurnDict", {"status": self._followed.status or "done"})
        usage = self.remote.usage() or self._usage
        self.remote.detach()
        return TurnOutcome(messages, summary, usage or _NO_USAGE, is_kept=True)

    def abort(self) -> TurnOutcome | None:
        """Stop the turn; returns how it went."""
        self._missing.clear()
        self.remote.interrupt()
        self._followed.wait()
        return self.outcome()

    @property
    def messages(self) -> "list[MessageDict]":
        """The messages that the turn has added so far."""
        return [*self._asked, *folded(self.seen)]


def _missing(
    seen: "Sequence[SeenChunk]",
    finished: "Sequence[MessageDict]",
    unfinished: "Sequence[ChunkDict]",
) -> "Iterator[ChunkDict]":
    """The chunks that lead from what was seen to what there is.

    Args:
        finished: the messages that can change no more, without the person's words.
        unfinished: chunks that fold to the message after these.
    """
    fold = Fold()
    for each in seen:
        fold.add(from_wire(each.chunk, each.result))
    begun = [cast("ChunkDict", to_wire(chunk)) for chunk in fold.unfinished]
    for number, message in enumerate(finished[fold.finished :]):
        yield from _rest(begun if number == 0 else [], _chunks(message), is_over=True)
    yield from _rest(begun if len(finished) == fold.finished else [], unfinished, is_over=False)


def _chunks(message: "MessageDict") -> "list[ChunkDict]":
    """The chunks that fold to a message."""
    if "code" not in message:
        return [{"message": message.get("message", "")}]
    written: list[ChunkDict] = []
    if output := message.get("output"):
        written.append({"output": f"{output}\n"})
    for each in message.get("displays", ()):
        written.append({"display": dict(each)})
    written.insert(0, {"code": message["code"]})
    written.insert(0, {"language": message.get("language", "")})
    return written


def _rest(
    begun: "Sequence[ChunkDict]", whole: "Sequence[ChunkDict]", *, is_over: bool
) -> "Iterator[ChunkDict]":
    """The chunks of one message that are missing.

    Args:
        begun: the chunks of it that were seen; empty if it is new.
        whole: all of its chunks.
        is_over: it has ended.
    """
    for kind in ("message", "language", "code"):
        text, had = _text(whole, kind), _text(begun, kind)
        if text != had:
            yield cast("ChunkDict", {kind: text[len(had) :] if text.startswith(had) else text})
    if not any("language" in chunk for chunk in whole):
        return
    has_run = any("output" in chunk or "display" in chunk for chunk in whole)
    if (has_run or is_over) and not any("output" in chunk for chunk in begun):
        code, language = _text(whole, "code"), _text(whole, "language")
        yield {"executing": {"code": code, "language": language}}
        yield {"active_line": None}
    yield from _rest_of_output(begun, whole)
    if is_over:
        yield {"end_of_execution": True}


def _rest_of_output(
    begun: "Sequence[ChunkDict]", whole: "Sequence[ChunkDict]"
) -> "Iterator[ChunkDict]":
    """The output and displays that are missing; all of them after a clear if they have changed."""
    text, had = _text(whole, "output"), _text(begun, "output")
    old = [chunk for chunk in begun if "display" in chunk]
    new = [chunk for chunk in whole if "display" in chunk]
    if text.startswith(had) and new[: len(old)] == old:
        if rest := text[len(had) :]:
            yield {"output": rest}
        yield from new[len(old) :]
    else:
        yield {"output": f"{_CLEAR}{text}"}
        yield from new


def _text(chunks: "Sequence[ChunkDict]", kind: str) -> str:
    """The text of all chunks of this kind."""
    return "".join(str(chunk[kind]) for chunk in chunks if kind in chunk)  # type: ignore[literal-required]
