"""A conversation: its messages, settings, interpreters and budget. The one mutable object."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oi_daemon.conversation.approvals import Approvals
from oi_daemon.conversation.budget import Bill, Budget
from oi_daemon.conversation.states import state_after
from oi_daemon.conversation.turn import (
    Answer,
    Decision,
    Emit,
    Model,
    Reply,
    Status,
    Turn,
)
from oi_daemon.errors import BusyError, ModelError, OIError
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.limits import Limits
from oi_daemon.execution.sandbox.sandbox import Sandbox, parse_folders
from oi_daemon.history import History
from oi_daemon.logs import heed
from oi_daemon.messages import (
    Chunk,
    ConversationState,
    InputRequest,
    Message,
    UserMessage,
)
from oi_daemon.messages.usage import Usage
from oi_daemon.settings import Settings, change

logger = logging.getLogger(__name__)

ModelFor = Callable[[Settings], Model]
HistoryFor = Callable[[Settings], History]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn went: `messages` are those that it added, the person's own included."""

    status: Status
    messages: Sequence[Message]
    usage: Usage


class _NoModel:
    """Code that the person runs calls no model."""

    async def reply(self, messages: Sequence[Message]) -> AsyncGenerator[Reply, None]:
        return
        yield

    def unfinished(self) -> Usage | None:
        return None


class Conversation:
    """One conversation. At most one turn runs at a time."""

    def __init__(
        self,
        id: str,
        settings: Settings,
        model_for: ModelFor,
        history_for: HistoryFor,
        messages: Sequence[Message] = (),
    ) -> None:
        self.id = id
        self.settings = settings
        self.messages: list[Message] = list(messages)
        self.budget = Budget()
        self.turns = 0
        self._state = ConversationState.IDLE
        self._model_for = model_for
        self._history_for = history_for
        self._approvals = Approvals(always=self._always)
        self._execution: Interpreters | None = None
        self._workplace: Workplace | None = None
        self._limits = Limits()
        self._turn: Turn | None = None
        self._bill = Bill(self.budget, settings.model)
        self._saved = list(messages)
        self._busy = False
        self._interrupted = False
        """Before the turn that is under way had begun."""
        self._alone = False
        self._input: str | None = None

    async def chat(
        self, message: str, emit: Emit, changes: Mapping[str, Any] | None = None
    ) -> Outcome:
        """One turn, from a person's words to the answer.

        Args:
            changes: settings that hold for this turn alone.

        Raises:
            BusyError: a turn runs already.
            InvalidError: the changes do not fit.
            ModelError: the model cannot go on. What was said and run until then is kept; if that
                is nothing, the conversation is as it was before.
        """
        settings = change(self.settings, changes or {})
        heed(settings)
        with self._one_turn():
            await self._warm(settings)
            asked = [UserMessage(message)]
            turn = await self._begin(settings, self._model_for(settings), emit, asked)
            return await self._finish(turn, settings, turn.answer(), asked)

    async def execute(self, language: str, code: str, emit: Emit) -> Outcome:
        """Run a block of the person's own. See `chat`."""
        with self._one_turn():
            turn = await self._begin(self.settings, _NoModel(), emit, [])
            return await self._finish(turn, self.settings, turn.execute(language, code), [])

    async def _begin(
        self, settings: Settings, model: Model, emit: Emit, asked: Sequence[Message]
    ) -> Turn:
        execution = await self._execution_for(settings)
        self.messages += asked
        self._save(settings)
        self._approvals.auto_run = settings.auto_run
        self.budget.max_budget = settings.max_budget
        self._bill = Bill(self.budget, settings.model)
        self._turn = turn = Turn(
            history=tuple(self.messages),
            model=model,
            execution=execution,
            approval=self._approvals,
            spending=self._bill,
            emit=self._watched(emit),
            finished=lambda: self._save(settings, turn.messages),
            max_rounds=settings.max_rounds,
        )
        if self._interrupted:
            turn.interrupt()
        return turn

    async def _finish(
        self, turn: Turn, settings: Settings, work: Awaitable[Status], asked: Sequence[Message]
    ) -> Outcome:
        try:
            status = await work
        except ModelError:
            if asked and not turn.messages:
                self.messages.pop()
            raise
        finally:
            self.messages += turn.messages
            self._save(settings)
            heed(self.settings)
        return Outcome(status, [*asked, *turn.messages], self._bill.total)

    def approve(self, approval: str, answer: Answer) -> bool:
        """Answer the block that waits under this id; False if none does."""
        if not self._approvals.answer(approval, answer):
            return False
        runs = answer.decision in (Decision.RUN, Decision.ALWAYS)
        self._enter(ConversationState.RUNNING if runs else ConversationState.THINKING)
        return True

    async def input(self, input: str, value: str | None) -> bool:
        """Give the running code the line that it waits for; False if it waits for none."""
        accepted = self._execution is not None and await self._execution.answer(input, value)
        if accepted and self._input == input:
            self._input = None
            self._enter(ConversationState.RUNNING)
        return accepted

    @property
    def state(self) -> ConversationState:
        return self._state

    def _enter(self, state: ConversationState) -> None:
        """The one place where the state changes."""
        self._state = state

    def interrupt(self) -> bool:
        """Stop the turn at once; False if none runs."""
        if self._turn is not None:
            self._turn.interrupt()
        self._interrupted = self._busy
        return self._busy

    async def decline(self) -> None:
        """There is nobody to ask any more: what waits is declined, and all that comes."""
        self._alone = True
        self._approvals.decline()
        if self._input is not None:
            await self.input(self._input, None)

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings. A turn under way heeds `auto_run` and `max_budget`; the next one, all.

        Raises:
            InvalidError: they do not fit; nothing was changed.
        """
        before, self.settings = self.settings, change(self.settings, changes)
        if not self.turns and _place(self.settings) != _place(before):
            self.messages = self.messages or self._history().load(self.id) or []
        if "auto_run" in changes:
            self._approvals.auto_run = self.settings.auto_run
        if "max_budget" in changes:
            self.budget.max_budget = self.settings.max_budget

    def restore(self, messages: Sequence[Message], used: Budget | None = None) -> None:
        """Make these the conversation.

        Args:
            used: what the session has cost before, where one goes on that another daemon began.
        """
        self.refuse_if_busy()
        self.budget = used or self.budget
        self.messages = list(messages)
        self._save(self.settings)

    def undo(self) -> list[Message]:
        """Remove the last user message and all that answered it; gives what was removed."""
        self.refuse_if_busy()
        asked = [i for i, message in enumerate(self.messages) if isinstance(message, UserMessage)]
        start = asked[-1] if asked else max(0, len(self.messages) - 1)
        removed = self.messages[start:]
        del self.messages[start:]
        self._save(self.settings)
        return removed

    async def reset(self) -> None:
        """Begin an empty conversation with fresh interpreters.

        What was said stays on disk, under an id of its own. Settings and the budget stay too.
        """
        self.refuse_if_busy()
        if self.settings.conversation_history:
            self._history().set_aside(self.id)
        self._saved = []
        self.messages = []
        if self._execution is not None:
            await self._execution.close()

    async def close(self) -> None:
        """Interrupt what runs and end all processes."""
        await self.decline()
        self.interrupt()
        if self._execution is not None:
            await self._execution.close()

    def delete(self) -> bool:
        """Remove the conversation from the disk; False if it is not there."""
        return self._history().delete(self.id)

    @property
    def visible(self) -> list[Message]:
        """The conversation, with what the turn under way has added so far."""
        return [*self.messages, *(self._turn.messages if self._turn else [])]

    @property
    def problems(self) -> list[str]:
        """What is wrong with this conversation now, each a line for a person."""
        folder = problem_of_folder(self.settings.cwd)
        return [folder] if folder else []

    def refuse_if_busy(self) -> None:
        """
        Raises:
            BusyError: a turn is under way.
        """
        if self._busy:
            raise BusyError("A turn is under way in this conversation: wait for it, or interrupt.")

    @contextmanager
    def _one_turn(self) -> Iterator[None]:
        self.refuse_if_busy()
        self._busy = True
        self._interrupted = False
        self.turns += 1
        self._enter(ConversationState.THINKING)
        try:
            yield
        finally:
            self._busy = False
            self._turn = None
            self._enter(ConversationState.IDLE)

    def _always(self) -> None:
        self.settings = change(self.settings, {"auto_run": True})

    def _save(self, settings: Settings, added: Sequence[Message] = ()) -> None:
        """Keep the conversation on disk. A disk that is full must not end a turn: it is logged."""
        if not settings.conversation_history:
            return
        messages = [*self.messages, *added]
        if messages == self._saved:
            return
        self._saved = messages
        history = self._history_for(settings)
        try:
            if messages:
                history.save(self.id, messages, filename=settings.conversation_filename)
            else:
                history.delete(self.id)
        except OIError as error:
            logger.warning("The conversation was not saved. %s", error)

    def _history(self) -> History:
        return self._history_for(self.settings)

    async def _warm(self, settings: Settings) -> None:
        """Start Python while the model thinks."""
        await (await self._execution_for(settings)).warm()

    async def _execution_for(self, settings: Settings) -> Interpreters:
        """The interpreters; fresh ones after a change of where code runs, which is said.

        Limits hold at once.
        """
        self._limits.apply(settings)
        workplace = _workplace(settings, self._limits)
        if self._execution is None or workplace != self._workplace:
            news = ""
            if self._execution is not None:
                news = _RESTARTED if self._execution.used else ""
                await self._execution.close()
            self._workplace = workplace
            self._execution = Interpreters(workplace, news)
        return self._execution

    def _watched(self, emit: Emit) -> Emit:
        """`emit`, with an eye on what the conversation is doing and waiting for."""

        async def watched(chunk: Chunk) -> None:
            self._enter(state_after(chunk, self._state))
            self._input = chunk.input if isinstance(chunk, InputRequest) else None
            await emit(chunk)
            if self._alone and self._input is not None:
                await self.input(self._input, None)

        return watched


_RESTARTED = (
    "The interpreters were started afresh, as the settings of where code runs have changed:"
    " their variables are lost."
)


def problem_of_folder(cwd: str | None) -> str | None:
    """What is wrong with the folder in which code is to run; None if nothing is."""
    if cwd is None or Path(cwd).is_dir():
        return None
    return f"settings.cwd: the folder {cwd} does not exist, so no code can run there."


def _workplace(settings: Settings, limits: Limits) -> Workplace:
    cwd = settings.cwd or str(Path.cwd())
    sandbox = None
    if settings.sandbox != "none":
        folders = parse_folders(settings.sandbox_folders, cwd)
        sandbox = Sandbox(mode=settings.sandbox, folders=folders)
    return Workplace(cwd=cwd, python=settings.python, limits=limits, sandbox=sandbox)


def _place(settings: Settings) -> tuple[str | None, str | None]:
    """Where a conversation is kept."""
    return settings.conversation_history_path, settings.conversation_filename
