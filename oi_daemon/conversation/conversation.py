"""A conversation: its messages, settings, language processes and budget."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oi_daemon import keys, logs
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
from oi_daemon.execution.spares import SpareWorkers
from oi_daemon.history import History
from oi_daemon.messages import (
    Chunk,
    ConversationState,
    InputRequest,
    Message,
    UserMessage,
)
from oi_daemon.messages.usage import Usage
from oi_daemon.settings import Settings, change, public

logger = logging.getLogger(__name__)

ModelFor = Callable[[Settings], Model]
"""Returns the model for a turn with these settings."""
HistoryFor = Callable[[Settings], History]
"""Returns the history in which a conversation with these settings is kept."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended."""

    status: Status
    messages: Sequence[Message]
    """The messages that the turn added, the person's own included."""
    usage: Usage


class _NoModel:
    """The model of a turn that runs the person's own code: it is never asked."""

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
        spares: SpareWorkers | None = None,
    ) -> None:
        """
        Args:
            messages: those that are kept on the disk.
            spares: started Python processes, shared with other conversations.
        """
        self._spares = spares
        self.id = id
        self.settings = settings
        self.messages: list[Message] = list(messages)
        """The messages of all turns that have ended, and the words that began the present one."""
        self.budget = Budget()
        self.turns = 0
        """Number of turns that have begun."""
        self._state = ConversationState.IDLE
        self._model_for = model_for
        self._history_for = history_for
        self._approvals = Approvals(on_always=self._allow_all)
        self._all_allowed = False
        """True after a person answered `always`, until that is taken back."""
        self._execution: Interpreters | None = None
        """The language processes; None until one is needed."""
        self._workplace: Workplace | None = None
        """Where and how the language processes run."""
        self._limits = Limits()
        self._turn: Turn | None = None
        """The turn under way; None between turns, and until a turn's preparations are done."""
        self._bill = Bill(self.budget)
        """What the latest turn has used."""
        self._saved = list(messages)
        """The messages as they were saved last."""
        self._busy = False
        """True from the moment that a turn is accepted until it has ended."""
        self._interrupted = False
        """An interrupt arrived after the turn was accepted but before its `Turn` existed. It is
        applied as soon as that exists."""
        self._nobody_to_ask = False
        """No more requests can come, so nobody can approve code or type input."""
        self._input: str | None = None
        """Id of the input that code, or a question, waits for; None if nothing waits."""

    async def chat(
        self, message: str, emit: Emit, changes: Mapping[str, Any] | None = None
    ) -> Outcome:
        """Run one turn, from a person's words to the answer.

        Args:
            changes: settings for this turn only. With `auto_run` False, every block waits, even
                after `always`.

        Raises:
            BusyError: a turn runs already.
            InvalidError: the changes do not fit.
            ModelError: the model cannot go on. What was said and run until then is kept; if that
                is nothing, the conversation is as it was before.
        """
        changes = changes or {}
        settings = change(self.settings, changes)
        if self._all_allowed and "auto_run" not in changes:
            settings = change(settings, {"auto_run": True})
        logs.apply(settings)
        with self._one_turn():
            await self._warm(settings)
            asked = [UserMessage(message)]
            turn = await self._begin(settings, self._model_for(settings), emit, asked)
            return await self._finish(turn, settings, turn.answer(), asked)

    async def execute(self, language: str, code: str, emit: Emit) -> Outcome:
        """Run a block of the person's own, in a turn without a model. Raises as `chat` does."""
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
        self._bill = Bill(self.budget)
        self._turn = turn = Turn(
            history=tuple(self.messages),
            model=model,
            execution=execution,
            approval=self._approvals,
            spending=self._bill,
            emit=self._tracking(emit),
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
            logs.apply(self.settings)
        if turn.interrupted:  # also one that came after the last block: it was answered by a yes
            status = Status.INTERRUPTED
        return Outcome(status, [*asked, *turn.messages], self._bill.total)

    def approve(self, approval: str, answer: Answer) -> bool:
        """Answer the block that waits. False if no block waits under this id."""
        if not self._approvals.answer(approval, answer):
            return False
        runs = answer.decision in (Decision.RUN, Decision.ALWAYS)
        self._enter(ConversationState.RUNNING if runs else ConversationState.THINKING)
        return True

    async def input(self, input: str, value: str | None) -> bool:
        """Give the line that code, or a question, waits for. False if nothing waits for it.

        Args:
            value: the line without its end; None for the end of the input.
        """
        if self._approvals.answer_question(input, value):
            self._input = None
            self._enter(ConversationState.THINKING)
            return True
        accepted = self._execution is not None and await self._execution.answer(input, value)
        if accepted and self._input == input:
            self._input = None
            self._enter(ConversationState.RUNNING)
        return accepted

    @property
    def state(self) -> ConversationState:
        """What the conversation is doing."""
        return self._state

    def _enter(self, state: ConversationState) -> None:
        """The one place where the state changes."""
        self._state = state

    def interrupt(self) -> bool:
        """Stop the turn. True: it ends as INTERRUPTED, whatever it does now. False: none runs."""
        if self._turn is not None:
            self._turn.interrupt()
        self._interrupted = self._busy
        return self._busy

    async def decline(self) -> None:
        """Decline what waits, and all that comes later, because there is nobody to ask."""
        self._nobody_to_ask = True
        self._approvals.decline()
        if self._input is not None:
            await self.input(self._input, None)

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings. `auto_run` and `max_budget` apply to the turn under way as well.

        Raises:
            InvalidError: they do not fit; nothing was changed.
        """
        before, self.settings = self.settings, change(self.settings, changes)
        if not self.turns and _place(self.settings) != _place(before):
            self.messages = self.messages or self._history().load(self.id) or []
        if "auto_run" in changes:
            self._all_allowed = False
            self._approvals.auto_run = self.settings.auto_run
        if "max_budget" in changes:
            self.budget.max_budget = self.settings.max_budget

    def restore(self, messages: Sequence[Message], used: Budget | None = None) -> None:
        """Replace the conversation's messages.

        Args:
            used: what the session has cost before, if another daemon began it.

        Raises:
            BusyError: a turn is under way.
        """
        self.refuse_if_busy()
        self._all_allowed = False
        self.budget = used or self.budget
        self.messages = list(messages)
        self._save(self.settings)

    def undo(self) -> list[Message]:
        """Remove the last user message and all that answered it. Returns what was removed.

        Raises:
            BusyError: a turn is under way.
        """
        self.refuse_if_busy()
        asked = [i for i, message in enumerate(self.messages) if isinstance(message, UserMessage)]
        start = asked[-1] if asked else max(0, len(self.messages) - 1)
        removed = self.messages[start:]
        del self.messages[start:]
        self._save(self.settings)
        return removed

    async def reset(self) -> None:
        """Begin an empty conversation with new language processes.

        The old messages stay on the disk, under an id of their own. The settings and the cost of
        the session stay too, but an `always` ends.

        Raises:
            BusyError: a turn is under way.
        """
        self.refuse_if_busy()
        self._all_allowed = False
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
        """Delete the conversation's file. False if there is none."""
        return self._history().delete(self.id)

    @property
    def visible(self) -> list[Message]:
        """All messages, with those that the turn under way has added so far."""
        return [*self.messages, *(self._turn.messages if self._turn else [])]

    @property
    def public_settings(self) -> dict[str, Any]:
        """All settings, as a client may see them. `auto_run` is true after `always`, too."""
        shown = public(self.settings)
        return shown | {"auto_run": self.settings.auto_run or self._all_allowed}

    @property
    def problems(self) -> list[str]:
        """What is wrong with this conversation now, each a line for a person."""
        folder = problem_of_folder(self.settings.cwd)
        return [folder] if folder else []

    def refuse_if_busy(self) -> None:
        """Raise if a turn is under way.

        Raises:
            BusyError: a turn is under way.
        """
        if self._busy:
            raise BusyError("A turn is under way in this conversation: wait for it, or interrupt.")

    @contextmanager
    def _one_turn(self) -> Iterator[None]:
        """The time of one turn, its preparations included."""
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

    def _allow_all(self) -> None:
        """A person answered `always`: the blocks of this conversation run from now on."""
        self._all_allowed = True

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
        """Start Python's process, so that it is ready when the model has written code."""
        await (await self._execution_for(settings)).warm()

    async def _execution_for(self, settings: Settings) -> Interpreters:
        """The language processes for these settings.

        If the settings of where code runs have changed, they are replaced, and the next block's
        output says so. Changed limits apply to the processes that there are.
        """
        self._limits.apply(settings)
        workplace = _workplace(settings, self._limits)
        if self._execution is None or workplace != self._workplace:
            news = ""
            if self._execution is not None:
                news = _RESTARTED if self._execution.used else ""
                await self._execution.close()
            self._workplace = workplace
            self._execution = Interpreters(workplace, news, self._spares)
        return self._execution

    def _tracking(self, emit: Emit) -> Emit:
        """`emit` that also sets the state, and declines a request for input that nobody answers."""

        async def tracking(chunk: Chunk) -> None:
            self._enter(state_after(chunk, self._state))
            self._input = chunk.input if isinstance(chunk, InputRequest) else None
            await emit(chunk)
            if self._nobody_to_ask and self._input is not None:
                await self.input(self._input, None)

        return tracking


_RESTARTED = (
    "The interpreters were started again, because the settings of where code runs have changed:"
    " their variables are lost."
)


def problem_of_folder(cwd: str | None) -> str | None:
    """What is wrong with the folder in which code runs; None if nothing is."""
    if cwd is None or Path(cwd).is_dir():
        return None
    return f"settings.cwd: the folder {cwd} does not exist, so no code can run there."


def _workplace(settings: Settings, limits: Limits) -> Workplace:
    cwd = settings.cwd or str(Path.cwd())
    sandbox = None
    if settings.sandbox != "none":
        folders = parse_folders(settings.sandbox_folders, cwd)
        sandbox = Sandbox(mode=settings.sandbox, folders=folders)
    keys.add(settings.api_key)
    passed = tuple((settings.pass_keys or "").replace(",", " ").split())
    return Workplace(
        cwd=cwd,
        python=settings.python,
        limits=limits,
        sandbox=sandbox,
        withheld=keys.withheld(passed),
        passed=passed,
    )


def _place(settings: Settings) -> tuple[str | None, str | None]:
    """The settings that decide where a conversation is kept."""
    return settings.conversation_history_path, settings.conversation_filename
