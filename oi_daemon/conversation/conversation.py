"""A conversation: its messages, settings, language processes and budget."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from oi_daemon import keys, logs
from oi_daemon.conversation.approvals import Approvals
from oi_daemon.conversation.budget import Bill, Budget
from oi_daemon.conversation.collaborators import Answer, Decision, Emit, Model, Reply
from oi_daemon.conversation.states import state_after
from oi_daemon.conversation.survey import Surroundings
from oi_daemon.conversation.turn import Status, Turn
from oi_daemon.errors import BusyError, ModelError
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.limits import Limits
from oi_daemon.execution.sandbox.sandbox import Sandbox, parse_folders
from oi_daemon.execution.spares import SpareWorkers
from oi_daemon.history import History, Saver, in_thread
from oi_daemon.messages import (
    Chunk,
    ConversationState,
    InputRequest,
    Message,
    NoticeChunk,
    UserMessage,
    with_fields_of_file,
)
from oi_daemon.messages.usage import Usage
from oi_daemon.model.environment import Environment
from oi_daemon.settings import Settings, change, public

ModelFor = Callable[[Settings, Environment], Model]
"""Returns the model for a turn with these settings, which is told of this environment."""
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
        spares: SpareWorkers | None = None,
    ) -> None:
        """
        Args:
            spares: started Python processes, shared with other conversations.
        """
        self._spares = spares
        self.id = id
        self.settings = settings
        self.messages: list[Message] = []
        """The messages of all turns that have ended, and the words that began the present one.
        They are there once `load` has returned."""
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
        self._surroundings = Surroundings()
        self._turn: Turn | None = None
        """The turn under way; None between turns, and until a turn's preparations are done."""
        self._bill = Bill(self.budget)
        """What the latest turn has used."""
        self._saver = Saver(id)
        self._loading = asyncio.Lock()
        """Held while the messages are read from the disk."""
        self._is_loaded = False
        """True once `messages` holds what is on the disk."""
        self._changing = asyncio.Lock()
        """Held while `messages` are replaced or shortened. A turn that is accepted meanwhile waits
        for the end of that, so that requests take effect in the order in which they came."""
        self._busy = False
        """True from the moment that a turn is accepted until it has ended."""
        self._idle = asyncio.Event()
        """Set while `_busy` is false."""
        self._idle.set()
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
        settings = self._settings_with(changes)
        with self._one_turn():
            await self._be_loaded()
            await self._warm(settings)
            settings = self._settings_with(changes)  # those of now: they may have been changed
            logs.apply(settings)
            asked = [UserMessage(message)]
            model = self._model_for(settings, await self._environment(settings))
            turn = await self._begin(settings, model, emit, asked, changes)
            return await self._finish(turn, settings, turn.answer(), asked, emit)

    async def execute(self, language: str, code: str, emit: Emit) -> Outcome:
        """Run a block of the person's own, in a turn without a model. Raises as `chat` does."""
        with self._one_turn():
            await self._be_loaded()
            turn = await self._begin(self.settings, _NoModel(), emit, [], {})
            return await self._finish(turn, self.settings, turn.execute(language, code), [], emit)

    def _settings_with(self, changes: Mapping[str, Any]) -> Settings:
        """The settings for a turn: the conversation's, with an `always`, and the turn's own."""
        settings = change(self.settings, changes)
        if self._all_allowed and "auto_run" not in changes:
            settings = change(settings, {"auto_run": True})
        return settings

    async def _begin(
        self,
        settings: Settings,
        model: Model,
        emit: Emit,
        asked: Sequence[Message],
        changes: Mapping[str, Any],
    ) -> Turn:
        execution = await self._execution_for(settings)
        self.messages += asked
        self._start_saving(settings)
        latest = self._settings_with(changes)  # consent may have been taken back in the meantime
        self._approvals.auto_run = latest.auto_run
        self.budget.max_budget = latest.max_budget
        self._bill = Bill(self.budget)
        tracking = self._tracking(emit)
        self._turn = turn = Turn(
            history=tuple(self.messages),
            model=model,
            execution=execution,
            approval=self._approvals,
            spending=self._bill,
            emit=tracking,
            finished=lambda: self._save(settings, turn.messages, emit=tracking, whole=False),
            max_rounds=settings.max_rounds,
        )
        if self._interrupted:
            turn.interrupt()
        return turn

    async def _finish(
        self,
        turn: Turn,
        settings: Settings,
        work: Awaitable[Status],
        asked: Sequence[Message],
        emit: Emit,
    ) -> Outcome:
        try:
            status = await work
        except ModelError:
            if asked and not turn.messages:
                self.messages.pop()
            raise
        finally:
            self.messages += turn.messages
            await self._save(settings, emit=self._tracking(emit))
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
        if self._busy:
            self._saver.interrupt()
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
            self._is_loaded = False
        if "auto_run" in changes:
            self._all_allowed = False
            self._approvals.auto_run = self.settings.auto_run
        if "max_budget" in changes:
            self.budget.max_budget = self.settings.max_budget

    async def load(self) -> None:
        """Read the messages from the disk, unless that was done before.

        Raises:
            InvalidError: the conversation's file holds no messages.
            OIError: the folder of the history cannot be read.
        """
        async with self._loading:
            if not self._is_loaded:
                history = self._history()
                loaded = await in_thread(partial(history.load, self.id)) or []
                self.messages = self.messages or loaded
                filename = self.settings.conversation_filename
                self._saver.assume_saved(history, loaded, filename)
                self._is_loaded = True

    async def _be_loaded(self) -> None:
        """Wait until the messages are those that a turn goes on with. Raises as `load` does."""
        async with self._changing:
            await self.load()

    async def restore(self, messages: Sequence[Message], used: Budget | None = None) -> None:
        """Replace the conversation's messages.

        Args:
            used: what the session has cost before, if another daemon began it.

        Raises:
            BusyError: a turn is under way.
        """
        self.refuse_if_busy()
        async with self._changing:
            await self.load()
            history = self._history()
            complete = await in_thread(partial(history.with_pictures, messages))
            self._all_allowed = False
            self.budget = used or self.budget
            self.messages = with_fields_of_file(complete, self.messages)
            await self._save(self.settings)

    async def undo(self) -> list[Message]:
        """Remove the last user message and all that answered it. Returns what was removed.

        Raises:
            BusyError: a turn is under way.
        """
        self.refuse_if_busy()
        async with self._changing:
            await self.load()
            asked = [i for i, each in enumerate(self.messages) if isinstance(each, UserMessage)]
            start = asked[-1] if asked else max(0, len(self.messages) - 1)
            removed = self.messages[start:]
            del self.messages[start:]
            await self._save(self.settings)
        return removed

    async def reset(self) -> None:
        """Begin an empty conversation with new language processes.

        The old messages stay on the disk, under an id of their own. The settings and the cost of
        the session stay too, but an `always` ends.

        Raises:
            BusyError: a turn is under way.
            OIError: the conversation's file cannot be written or renamed.
        """
        self.refuse_if_busy()
        self._all_allowed = False
        async with self._changing:
            await self._saver.close()
            if self.settings.conversation_history:
                history = self._history()
                await in_thread(partial(history.set_aside, self.id))
            await self._saver.forget()
            self._surroundings.forget()
            self.messages, self._is_loaded = [], True
            if self._execution is not None:
                await self._execution.close()

    async def close(self) -> None:
        """Interrupt what runs, end all processes, and save what is not saved."""
        await self.decline()
        self.interrupt()
        if self._execution is not None:
            await self._execution.close()
        await self._idle.wait()
        await self._saver.close()

    async def delete(self) -> bool:
        """Delete the conversation's file, and begin an empty one. False if there is no file.

        Raises:
            BusyError: a turn is under way.
            OIError: the file cannot be removed.
        """
        self.refuse_if_busy()
        self._all_allowed = False
        async with self._changing:
            await self._saver.forget()
            history = self._history()
            is_deleted = await in_thread(partial(history.delete, self.id))
            self.messages, self._is_loaded = [], True
            if self._execution is not None:
                await self._execution.close()
            return is_deleted

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
        return [line for line in (folder, self._saver.problem) if line]

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
        self._idle.clear()
        self._interrupted = False
        self.turns += 1
        self._enter(ConversationState.THINKING)
        try:
            yield
        finally:
            self._busy = False
            self._idle.set()
            self._saver.end_interrupt()
            self._turn = None
            self._enter(ConversationState.IDLE)

    def _allow_all(self) -> None:
        """A person answered `always`: the blocks of this conversation run from now on."""
        self._all_allowed = True

    async def _save(
        self,
        settings: Settings,
        added: Sequence[Message] = (),
        *,
        emit: Emit | None = None,
        whole: bool = True,
    ) -> None:
        """Save the conversation, and tell the person what there is to know about that.

        A failure does not end the turn: it is announced, and saving is tried again.

        Args:
            added: the messages of the turn so far.
            emit: sends the notices. Without it, they are sent in the next turn.
            whole: see `History.save`.
        """
        saving = self._start_saving(settings, added, whole=whole)
        if saving is not None:
            await self._saver.wait(saving)
        if emit is not None:
            for notice in self._saver.take_notices():
                await emit(NoticeChunk("save", notice))

    def _start_saving(
        self, settings: Settings, added: Sequence[Message] = (), *, whole: bool = False
    ) -> asyncio.Future[None] | None:
        """Begin to save. Returns what the saver's `wait` takes, None if nothing is to be saved."""
        if not settings.conversation_history:
            self._saver.give_up()
            return None
        history, messages = self._history_for(settings), [*self.messages, *added]
        return self._saver.start(history, messages, settings.conversation_filename, whole=whole)

    def _history(self) -> History:
        return self._history_for(self.settings)

    async def _warm(self, settings: Settings) -> None:
        """Start Python's process, so that it is ready when the model has written code."""
        await (await self._execution_for(settings)).warm()

    async def _environment(self, settings: Settings) -> Environment:
        """What the model is told about where its code runs."""
        await self._execution_for(settings)
        assert self._workplace is not None
        return await self._surroundings.at(self._workplace)

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
