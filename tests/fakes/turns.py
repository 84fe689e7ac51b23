"""Fakes of all that a turn sees: a scripted model, an echo language, a person with a list."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from oi_daemon.conversation.budget import Budget
from oi_daemon.conversation.collaborators import Answer, Approval, Decision, Reply
from oi_daemon.conversation.turn import Status, Turn
from oi_daemon.messages import (
    ActiveLine,
    Chunk,
    CodeChunk,
    EndOfExecution,
    Executing,
    LanguageChunk,
    Message,
    MessageChunk,
    Output,
    UserMessage,
)
from oi_daemon.messages.usage import Usage
from tests.patience import PATIENCE

ASKED = UserMessage("What's 34/24?")

Step = Reply | Exception | asyncio.Event
"""A part of a reply; an event is waited for, an exception raised."""


def said(*texts: str) -> list[Step]:
    return [MessageChunk(text) for text in texts]


def block(code: str, language: str = "python") -> list[Step]:
    """A block as a model writes it: in two pieces, then whole."""
    half = len(code) // 2
    pieces = [CodeChunk(code[:half]), CodeChunk(code[half:])]
    return [LanguageChunk(language), *pieces, Executing(code, language)]


class ScriptedModel:
    """Gives one list of steps a reply; keeps what it was asked, and how many replies are open."""

    def __init__(self, *replies: Sequence[Step]) -> None:
        self._replies = [*replies]
        self.asked: list[list[Message]] = []
        self.open = 0
        self.cut_off: Usage | None = None
        """What `unfinished` is to give."""

    async def reply(
        self, messages: Sequence[Message], dollars_left: Callable[[], float | None]
    ) -> AsyncGenerator[Reply, None]:
        self.asked.append([*messages])
        self.open += 1
        try:
            for step in self._replies.pop(0):
                match step:
                    case asyncio.Event():
                        await step.wait()
                    case Exception():
                        raise step
                    case _:
                        yield step
        finally:
            self.open -= 1

    compact = reply

    def unfinished(self) -> Usage | None:
        usage, self.cut_off = self.cut_off, None
        return usage


class EchoExecution:
    """Prints the code as its output. `wait` is a block that runs until it is interrupted."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.open = 0
        self.started = asyncio.Event()
        self._stop = asyncio.Event()

    async def run(self, language: str, code: str) -> AsyncGenerator[Chunk, None]:
        self.ran.append(code)
        self.open += 1
        try:
            yield ActiveLine(1)
            yield Output(f"{code}\n")
            if code == "wait":
                self.started.set()
                await self._stop.wait()
                yield Output("stopped\n")
            yield ActiveLine(None)
            yield EndOfExecution()
        finally:
            self.open -= 1

    @property
    def interrupted(self) -> bool:
        return self._stop.is_set()

    def interrupt(self) -> None:
        self._stop.set()


@dataclass
class ListedTicket:
    id: str
    given: Answer | None

    async def answer(self) -> Answer:
        if self.given is None:
            await asyncio.Event().wait()
        assert self.given is not None
        return self.given


@dataclass
class ListedQuestion:
    id: str
    given: bool

    async def answer(self) -> bool:
        return self.given


class ListedApproval:
    """Answers from a list; None is a person who never answers. After `always` it asks no more."""

    def __init__(self, answers: Iterable[Answer | None] = (), *, agrees: bool = False) -> None:
        """
        Args:
            agrees: the answer to every question.
        """
        self._agrees = agrees
        self._answers = [*answers]
        self._always = False
        self.opened = 0

    def open(self) -> ListedTicket | None:
        if self._always:
            return None
        self.opened += 1
        given = self._answers.pop(0)
        self._always = given is not None and given.decision is Decision.ALWAYS
        return ListedTicket(f"approval-{self.opened}", given)

    def ask(self) -> ListedQuestion:
        return ListedQuestion("question-1", self._agrees)


class AutoRun(ListedApproval):
    """Lets every block run without being asked."""

    def open(self) -> None:
        return None


@dataclass
class Client:
    """Takes the chunks; from a chunk equal to `blocks_at` on it takes nothing until it reads on."""

    blocks_at: Chunk | None = None
    chunks: list[Chunk] = field(default_factory=list)
    blocked: asyncio.Event = field(default_factory=asyncio.Event)
    reads_on: asyncio.Event = field(default_factory=asyncio.Event)
    on_chunk: Callable[[], None] = lambda: None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def emit(self, chunk: Chunk) -> None:
        self.chunks.append(chunk)
        self._arrived.set()
        self.on_chunk()
        if chunk == self.blocks_at:
            self.blocked.set()
            await self.reads_on.wait()

    async def seen(self, chunk: Chunk) -> None:
        """Wait until this chunk has come."""
        while chunk not in self.chunks:
            self._arrived.clear()
            await self._arrived.wait()


class Scene:
    """A turn among its fakes."""

    def __init__(
        self,
        *replies: Sequence[Step],
        approval: Approval | None = None,
        client: Client | None = None,
        max_budget: float | None = None,
        max_rounds: int = 10,
    ) -> None:
        self.model = ScriptedModel(*replies)
        self.execution = EchoExecution()
        self.budget = Budget(max_budget=max_budget)
        self.client = client or Client()
        self.saved: list[list[Message]] = []
        self.turn = Turn(
            history=[ASKED],
            model=self.model,
            execution=self.execution,
            approval=approval or AutoRun(),
            spending=self.budget,
            emit=self.client.emit,
            finished=self._save,
            max_rounds=max_rounds,
        )

    @property
    def chunks(self) -> list[Chunk]:
        return self.client.chunks

    async def _save(self) -> None:
        self.saved.append(self.turn.messages)

    async def interrupted_at(self, moment: Awaitable[object]) -> Status:
        """Run the turn, interrupt it at that moment, and see that nothing is left behind."""
        answering = asyncio.create_task(self.turn.answer())
        await asyncio.wait_for(moment, PATIENCE)
        self.turn.interrupt()
        self.client.reads_on.set()
        status = await asyncio.wait_for(answering, PATIENCE)
        assert self.model.open == self.execution.open == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return status
