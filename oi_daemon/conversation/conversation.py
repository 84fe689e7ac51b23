"""A conversation: its messages, settings, language processes and budget."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from oi_daemon import logs
from oi_daemon.changes.undoing import Undone, Wanted
from oi_daemon.conversation.approvals import Approvals
from oi_daemon.conversation.background import BackgroundBlocks, completed
from oi_daemon.conversation.budget import Bill, Budget
from oi_daemon.conversation.collaborators import Answer, Emit, Model
from oi_daemon.conversation.kept_files import KeptFiles
from oi_daemon.conversation.outcome import NoModel, OpenTurn, Outcome, Snapshot
from oi_daemon.conversation.processes import LanguageProcesses, problem_of_folder
from oi_daemon.conversation.progress import Progress
from oi_daemon.conversation.survey import Surroundings
from oi_daemon.conversation.transcript import HistoryFor, Transcript
from oi_daemon.conversation.turn import Status, Turn
from oi_daemon.errors import BusyError, ModelError
from oi_daemon.execution.interpreters import BackgroundBlock, Interpreters
from oi_daemon.execution.spares import Spares
from oi_daemon.keys import Environ
from oi_daemon.messages import (
    Chunk,
    CodeMessage,
    ConversationState,
    EventChunk,
    InputRequest,
    Message,
    NoticeChunk,
    UserMessage,
)
from oi_daemon.messages.written import Bundle
from oi_daemon.model.environment import AGENTS_MD, Environment
from oi_daemon.settings import Settings, change, public

ModelFor = Callable[[Settings, Environment], Model]
"""Returns the model for a turn with these settings, which is told of this environment."""


class Conversation:
    """One conversation. At most one turn runs at a time."""

    def __init__(
        self,
        id: str,
        settings: Settings,
        model_for: ModelFor,
        history_for: HistoryFor,
        spares: Spares | None = None,
        environ: Environ | None = None,
    ) -> None:
        """
        Args:
            spares: started Python processes, shared with other conversations.
            environ: the environment in which code runs; None for this process's.
        """
        self.id = id
        self.settings = settings
        self.budget = Budget()
        self.turns = 0
        """Number of turns that have begun."""
        self._model_for = model_for
        self._transcript = Transcript(id, lambda: self.settings, history_for)
        self._processes = LanguageProcesses(spares, self._went_to_background, environ)
        self._background = BackgroundBlocks(self._keep_ended)
        self._emit: Emit | None = None
        """Sends the chunks of the latest turn, and those of blocks that it leaves behind."""
        self._surroundings = Surroundings()
        self._named_instructions = ""
        """The folder's instructions of which the person was last told."""
        self.files = KeptFiles(id, lambda: self.turns)
        self._approvals = Approvals()
        self._progress = Progress(self._approvals, self._processes.answer)
        self._turn: Turn | None = None
        """The turn under way; None between turns, and until a turn's preparations are done."""
        self._growing: Turn | None = None
        """The turn whose messages are not in the transcript yet."""
        self._bill = Bill(self.budget)
        """What the latest turn has used."""
        self._changing = asyncio.Lock()
        """Held while the messages are replaced or shortened. A turn that is accepted meanwhile
        waits for the end of that, so that requests take effect in the order in which they came."""
        self._busy = False
        """True from the moment that a turn is accepted until it has ended."""
        self._idle = asyncio.Event()
        """Set while `_busy` is false."""
        self._idle.set()
        self._interrupted = False
        """An interrupt arrived after the turn was accepted but before its `Turn` existed. It is
        applied as soon as that exists."""

    async def chat(
        self,
        message: str,
        emit: Emit,
        changes: Mapping[str, Any] | None = None,
        model_for: ModelFor | None = None,
        displays: Sequence[Bundle] = (),
    ) -> Outcome:
        """Run one turn, from a person's words to the answer.

        Args:
            displays: pictures that the person shows with the words.
            model_for: returns the turn's model, for a client that offers its own models.
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
            await (await self._processes.under(settings)).warm()
            await self.files.configure(settings)
            await self.files.prepare()
            settings = self._settings_with(changes)  # those of now: they may have been changed
            logs.apply(settings)
            asked = [UserMessage(message, tuple(displays))]
            environment = await self._environment(settings)
            for sentence in environment.unavailable:
                await emit(NoticeChunk("tools", sentence))
            await self._name_instructions(environment, settings, emit)
            model = (model_for or self._model_for)(settings, environment)
            turn = await self._begin(settings, model, emit, asked, changes)
            return await self._finish(turn, settings, turn.answer(), asked, emit)

    async def compact(self, emit: Emit, model_for: ModelFor | None = None) -> Outcome:
        """Run a turn in which the model summarises the oldest part. Raises as `chat` does."""
        with self._one_turn():
            await self._be_loaded()
            settings = self._settings_with({})
            environment = await self._environment(settings)
            model = (model_for or self._model_for)(settings, environment)
            turn = await self._begin(settings, model, emit, [], {})
            return await self._finish(turn, settings, turn.compact(), [], emit)

    async def execute(
        self, language: str, code: str, emit: Emit, *, background: bool = False
    ) -> Outcome:
        """Run a block of the person's own, in a turn without a model. Raises as `chat` does.

        Args:
            background: end the turn as soon as the block runs, which goes on in the background.
        """
        with self._one_turn():
            await self._be_loaded()
            turn = await self._begin(self.settings, NoModel(), emit, [], {})
            before = self._background.count
            if background and self.interpreters is not None:
                self.interpreters.detach_next()
            work = turn.execute(language, code)
            outcome = await self._finish(turn, self.settings, work, [], emit)
        if self._background.count > before and outcome.status is Status.DONE:
            return replace(outcome, status=Status.BACKGROUND)
        return outcome

    async def execute_aside(self, language: str, code: str) -> Outcome:
        """Run a block of the person's own of which nothing is kept, and nobody is told.

        What it asks for gets end of file. Raises as `chat` does.
        """

        async def ignore(chunk: Chunk) -> None:
            if isinstance(chunk, InputRequest):
                await self._processes.answer(chunk.input, None)

        async def keep_nothing() -> None:
            pass

        with self._one_turn():
            await self._be_loaded()
            self._bill, self._emit = Bill(self.budget), ignore
            self._turn = turn = Turn(
                history=(),
                model=NoModel(),
                execution=await self._processes.under(self.settings),
                approval=self._approvals,
                spending=self._bill,
                emit=ignore,
                finished=keep_nothing,
                max_rounds=1,
            )
            if self._interrupted:
                turn.interrupt()
            status = await turn.execute(language, code)
            return Outcome(status, turn.messages, self._bill.total)

    def to_background(self) -> str | None:
        """Let the block that runs go on in the background; the turn goes on without it.

        Returns the id under which it goes on; None if no block runs.
        """
        return None if self.interpreters is None else self.interpreters.to_background()

    def stop_background(self, block: str | None = None) -> bool:
        """Stop the block of this id in the background, or all of them. False if there is none."""
        return self.interpreters is not None and self.interpreters.stop_background(block)

    def _went_to_background(self, block: BackgroundBlock) -> None:
        """Follow a block of the turn that runs."""
        assert self._emit is not None
        self.files.went_to_background(block.language)
        self._background.start(block, self._emit)

    async def _keep_ended(self, id: str, ended: CodeMessage) -> None:
        """Put what a block in the background has become in place of what was stored of it."""
        await self._idle.wait()
        notice = await self.files.background_ended()
        if notice is not None and self._emit is not None:
            await self._emit(notice)
        async with self._changing:
            if completed(self._transcript.messages, id, ended):
                await self._transcript.save(self.settings)

    async def _name_instructions(
        self, environment: Environment, settings: Settings, emit: Emit
    ) -> None:
        """Tell the person that the model gets the folder's instructions, when it first does."""
        instructions = environment.instructions if settings.agents_md else ""
        if instructions and instructions != self._named_instructions:
            where = Path(Path(environment.cwd).name, AGENTS_MD)
            await emit(NoticeChunk("instructions", f"The model gets the instructions in {where}."))
        self._named_instructions = instructions

    async def _environment(self, settings: Settings) -> Environment:
        """What the model is told about where its code runs, and which tools that has."""
        environment = await self._surroundings.at(self._processes.workplace(settings))
        functions, unavailable = await self._processes.tools.functions()
        return replace(environment, functions=functions, unavailable=unavailable)

    def _settings_with(self, changes: Mapping[str, Any]) -> Settings:
        """The settings for a turn: the conversation's, with an `always`, and the turn's own."""
        settings = change(self.settings, changes)
        if self._approvals.all_allowed and "auto_run" not in changes:
            settings = change(settings, {"auto_run": True})
        return settings

    async def _begin(
        self,
        settings: Settings,
        model: Model,
        emit: Emit,
        asked: Sequence[UserMessage],
        changes: Mapping[str, Any],
    ) -> Turn:
        """Prepare a turn and return it. It begins when its work is awaited, in `_finish`.

        Args:
            asked: the person's words that begin it, if any.
            changes: the settings for this turn only, which `settings` include.
        """
        execution = await self._processes.under(settings)
        await self.files.configure(settings)
        self._transcript.messages += asked
        self._transcript.start_saving(settings)
        latest = self._settings_with(changes)  # consent may have been taken back in the meantime
        self._approvals.auto_run = latest.auto_run
        self.budget.max_budget = latest.max_budget
        self._bill = Bill(self.budget)
        following = self._progress.following(emit)
        self._emit = emit
        self._turn = self._growing = turn = Turn(
            history=tuple(self._transcript.messages),
            model=model,
            execution=self.files.around(execution),
            approval=self._approvals,
            spending=self._bill,
            emit=following,
            finished=lambda: self._transcript.save(
                settings,
                turn.messages,
                emit=following,
                merge="soon" if turn.is_complete else "later",
            ),
            max_rounds=settings.max_rounds,
        )
        if self._interrupted:
            turn.interrupt()
        words = {"message": asked[0].message} if asked else {}
        await following(EventChunk("begun", words))
        return turn

    async def _finish(
        self,
        turn: Turn,
        settings: Settings,
        work: Awaitable[Status],
        asked: Sequence[Message],
        emit: Emit,
    ) -> Outcome:
        """Wait for the end of a turn, save what it added, and return how it ended.

        Blocks of the person's own can come in quick succession: they do not wait until the JSON
        file is replaced.
        """
        try:
            status = await work
        except ModelError:
            if asked and not turn.messages:
                self._transcript.messages.pop()
            raise
        finally:
            self._transcript.messages += turn.messages
            self._growing = None
            following = self._progress.following(emit)
            await self._transcript.save(settings, emit=following, merge="now" if asked else "soon")
            logs.apply(self.settings)
        if turn.interrupted:  # also one that came after the last block: it was answered by a yes
            status = Status.INTERRUPTED
        return Outcome(status, [*asked, *turn.messages], self._bill.total)

    def approve(self, approval: str, answer: Answer) -> bool:
        """Answer the block that waits. False if no block waits under this id."""
        return self._progress.approve(approval, answer)

    async def input(self, input: str, value: str | None) -> bool:
        """Give the line that code, or a question, waits for. See `Progress.input`."""
        return await self._progress.input(input, value)

    @property
    def interpreters(self) -> Interpreters | None:
        """The language processes; None before the first turn."""
        return self._processes.current

    @property
    def state(self) -> ConversationState:
        """What the conversation is doing."""
        return self._progress.state

    def interrupt(self) -> bool:
        """Stop the turn. True: it ends as INTERRUPTED, whatever it does now. False: none runs."""
        if self._turn is not None:
            self._turn.interrupt()
        if self._busy:
            self._transcript.interrupt()
            self._processes.tools.interrupt()
        self._interrupted = self._busy
        return self._busy

    async def decline(self) -> None:
        """Decline what waits, and all that comes later, because there is nobody to ask."""
        await self._progress.decline()

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings. `auto_run` and `max_budget` apply to the turn under way as well.

        Raises:
            InvalidError: they do not fit; nothing was changed.
        """
        before, self.settings = self.settings, change(self.settings, changes)
        if not self.turns and _place(self.settings) != _place(before):
            self._transcript.unload()
        if "auto_run" in changes:
            self._approvals.all_allowed = False
            self._approvals.auto_run = self.settings.auto_run
        if "max_budget" in changes:
            self.budget.max_budget = self.settings.max_budget

    async def load(self) -> None:
        """Read the messages from the disk, unless that was done before.

        Raises as `Transcript.load` does.
        """
        await self._transcript.load()

    async def _be_loaded(self) -> None:
        """Load the messages, after any change of them that is under way. Raises as `load` does."""
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
            complete = await self._transcript.with_pictures(messages)
            self._approvals.all_allowed = False
            self.budget = used or self.budget
            self._transcript.replace(complete)
            await self._transcript.save(self.settings)

    async def undo(self) -> list[Message]:
        """Remove the last user message and all that answered it. Returns what was removed.

        Raises:
            BusyError: a turn is under way.
        """
        self.refuse_if_busy()
        async with self._changing:
            await self.load()
            removed = self._transcript.remove_last_turn()
            await self._transcript.save(self.settings)
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
        self._approvals.all_allowed = False
        async with self._changing:
            id = await self._transcript.set_aside()
            self._surroundings.forget()
            await self._processes.close()
            await self.files.set_aside(id)

    async def close(self) -> None:
        """Interrupt what runs, end all processes, and save what is not saved."""
        await self.decline()
        self.interrupt()
        await self._processes.close()
        await self._idle.wait()
        await self._background.close()
        await self.files.close(delete=not self.settings.conversation_history)
        await self._transcript.close()

    async def delete(self) -> bool:
        """Delete the conversation's file, and begin an empty one. False if there is no file.

        Raises:
            BusyError: a turn is under way.
            OIError: the file cannot be removed.
        """
        self.refuse_if_busy()
        self._approvals.all_allowed = False
        async with self._changing:
            is_deleted = await self._transcript.delete()
            await self._processes.close()
            await self.files.close(delete=True)
            return is_deleted

    async def undo_files(self, wanted: Wanted) -> Undone:
        """Undo what blocks have done to files.

        Raises:
            BusyError: a turn is under way.
            InvalidError: nothing is kept.
        """
        self.refuse_if_busy()
        async with self._changing:
            await self.files.configure(self.settings)
            return await self.files.undo(wanted)

    @property
    def visible(self) -> list[Message]:
        """All messages, with those that the turn under way has added so far."""
        return [*self._transcript.messages, *(self._growing.messages if self._growing else [])]

    async def snapshot(self) -> Snapshot:
        """Return the conversation as it is after the latest chunk that was emitted.

        It is so until the caller waits for something else.

        Raises as `Transcript.load` does.
        """
        await self._be_loaded()
        while (turn := self._growing) is not None:
            fold = await turn.folded()
            if turn is self._growing:
                waiting, line = self._progress.waiting, self._progress.active_line
                seen = OpenTurn(fold.messages, fold.finished, fold.unfinished, waiting, line)
                return Snapshot([*self._transcript.messages], seen)
        return Snapshot([*self._transcript.messages], None)

    @property
    def public_settings(self) -> dict[str, Any]:
        """All settings, as a client may see them. `auto_run` is true after `always`, too."""
        shown = public(self.settings)
        return shown | {"auto_run": self.settings.auto_run or self._approvals.all_allowed}

    @property
    def problems(self) -> list[str]:
        """What is wrong with this conversation now, each a line for a person."""
        folder = problem_of_folder(self.settings.cwd)
        return [line for line in (folder, self._transcript.problem) if line]

    def refuse_if_busy(self) -> None:
        """Raise if a turn is under way.

        Raises:
            BusyError: a turn is under way.
        """
        if self._busy:
            raise BusyError("A turn is under way in this conversation: wait for it, or interrupt.")

    @contextmanager
    def _one_turn(self) -> Iterator[None]:
        """Mark the conversation as busy while a turn is prepared and runs.

        Raises:
            BusyError: a turn is under way.
        """
        self.refuse_if_busy()
        self._busy = True
        self._idle.clear()
        self._interrupted = False
        self.turns += 1
        self._progress.enter(ConversationState.THINKING)
        try:
            yield
        finally:
            self._busy = False
            self._idle.set()
            self._transcript.end_interrupt()
            self._turn = None
            self._progress.enter(ConversationState.IDLE)


def _place(settings: Settings) -> tuple[str | None, str | None]:
    """The settings that decide where a conversation is kept."""
    return settings.conversation_history_path, settings.conversation_filename
