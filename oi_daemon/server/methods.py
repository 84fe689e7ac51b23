"""The methods of the wire: what each request does. `results` makes what they return."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from oi_daemon import __version__, logs
from oi_daemon.changes.undoing import Wanted
from oi_daemon.conversation.budget import Budget
from oi_daemon.conversation.collaborators import Answer, Decision, Emit, Model
from oi_daemon.conversation.conversation import Conversation
from oi_daemon.conversation.kept_files import KeptFiles
from oi_daemon.conversation.outcome import Outcome
from oi_daemon.conversation.processes import problem_of_folder
from oi_daemon.conversation.progress import waits
from oi_daemon.errors import InvalidError, OIError
from oi_daemon.execution import lookups
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.registry import languages
from oi_daemon.execution.process.guard import guard_problems
from oi_daemon.history import History, in_thread, new_id
from oi_daemon.keys import Environ, process_environ
from oi_daemon.messages import EventChunk, dump, load
from oi_daemon.messages.text import without_controls
from oi_daemon.model.environment import Environment
from oi_daemon.model.relay import Relay
from oi_daemon.protocol.files import FileBlocks, FileDiffs, FilesUndone
from oi_daemon.protocol.lookups import Completions, Documentation, Variables
from oi_daemon.protocol.methods import (
    Accepted,
    ApproveParams,
    Attached,
    AttachParams,
    BackgroundStopParams,
    ChatParams,
    ConversationParams,
    ConversationResult,
    Deleted,
    Empty,
    ExecuteParams,
    FilesParams,
    FilesUndoParams,
    HistoryDeleteParams,
    HistoryListParams,
    HistoryMessages,
    HistoryPage,
    HistorySetParams,
    InBackground,
    InputParams,
    Interrupted,
    Languages,
    ModelsResult,
    NoParams,
    PlaceParams,
    QueueDepths,
    Removed,
    ServerEntry,
    SettingsSetParams,
    StatusResult,
    Stopped,
    TurnResult,
    VariablesParams,
)
from oi_daemon.protocol.offers import ModelOfferParams, ModelReplyParams, ModelReplyResult
from oi_daemon.server.daemon import Daemon
from oi_daemon.server.feed import ChunkFilter, NotifyingSink, Receiver, Sink, every_chunk
from oi_daemon.server.file_results import file_blocks, file_diffs, files_undone
from oi_daemon.server.results import (
    attached,
    conversation_status,
    history_entry,
    language_entry,
    passed_over_file,
    resident_bytes,
    turn_result,
)
from oi_daemon.settings import Settings, change, public
from oi_daemon.settings.sources import load_settings


class Methods:
    """Serves the requests of one client. Its public coroutines are the wire's methods.

    A conversation's id may be None in all of them: that is the client's default conversation.
    """

    def __init__(
        self,
        sink: Sink,
        daemon: Daemon | None = None,
        *,
        environ: Environ | None = None,
        folder: str | None = None,
        debug: bool = False,
        on_cut: Callable[[], None] = lambda: None,
    ) -> None:
        """
        Args:
            sink: takes the chunks that the client gets.
            daemon: the one that serves this client among others. None: one for this client alone,
                which ends with it.
            environ: the client's environment; None for this process's.
            folder: where code runs if nothing else says so; None for this process's folder.
            debug: the setting `debug_mode`, unless the client sets it.
            on_cut: called when the client has left too much unread to be served any longer.
        """
        self._is_alone = daemon is None
        self._daemon = daemon or Daemon()
        self._conversations = self._daemon.conversations
        self._receiver = Receiver(sink, is_alone=self._is_alone, on_cut=on_cut)
        self._relay = Relay(sink.notification) if isinstance(sink, NotifyingSink) else None
        """The models that the client offers; None if it cannot be told what to ask them."""
        self._environ = process_environ() if environ is None else environ
        self._folder = folder
        self._debug = debug
        self._settings = Settings()
        """The settings with which a conversation of this client begins."""
        self._default = new_id()
        """Id of the client's default conversation."""
        self._problems: list[str] = []
        """What is wrong with the configuration and the client's parameters, each a line."""

    async def start(self, settings: Mapping[str, Any] | None, folder: str | None) -> None:
        """Load the configured settings and apply the client's own on top.

        Args:
            folder: the client's workspace: where code runs if the setting `cwd` is not set.

        Raises:
            InvalidError: the client's settings do not fit.
        """
        loaded = load_settings(self._environ.whole)
        self._problems = loaded.problems
        given = {"debug_mode": True} if self._debug else {}
        configured = change(loaded.settings, {**given, **(settings or {})})
        if configured.cwd is None and (found := folder or self._folder) is not None:
            configured = change(configured, {"cwd": found})
        self._settings = configured
        logs.apply(configured)

    def add_problem(self, text: str) -> None:
        """Add a line to the `problems` of `oi/status`."""
        self._problems = [*self._problems, text]

    def preload(self) -> None:
        """Import in the background what is slow to import, so that the first turn need not wait."""
        self._daemon.preload()

    async def stream(self, params: ChatParams) -> TurnResult:
        return await self._chat(params, every_chunk)

    async def chat(self, params: ChatParams) -> TurnResult:
        return await self._chat(params, waits)

    async def execute(self, params: ExecuteParams) -> TurnResult:
        conversation = self._open(params.conversation)
        if params.aside:
            work = conversation.execute_aside(params.language, params.code)
            return await self._result(conversation, work)
        emit = self._emitter(conversation)
        work = conversation.execute(
            params.language, params.code, emit, background=params.background
        )
        return await self._result(conversation, work)

    async def approve(self, params: ApproveParams) -> Accepted:
        conversation = self._active(params.conversation)
        answer = Answer(Decision(params.decision), params.code)
        if conversation is None or not conversation.approve(params.approval, answer):
            return Accepted(accepted=False)
        self._announce(conversation, EventChunk("answered", {"approval": params.approval}))
        return Accepted(accepted=True)

    async def input(self, params: InputParams) -> Accepted:
        conversation = self._active(params.conversation)
        if conversation is None or not await conversation.input(params.input, params.value):
            return Accepted(accepted=False)
        self._announce(conversation, EventChunk("answered", {"input": params.input}))
        return Accepted(accepted=True)

    async def attach(self, params: AttachParams) -> Attached:
        conversation = self._open(params.conversation)
        feed = self._conversations.feed(conversation.id)
        snapshot = await conversation.snapshot()
        feed.attach(self._receiver)  # nothing is awaited between the snapshot and its last_seq
        return attached(conversation, snapshot, feed.last_seq)

    async def detach(self, params: AttachParams) -> Empty:
        self._conversations.feed(params.conversation).detach(self._receiver)
        return Empty()

    async def close_conversation(self, params: ConversationParams) -> Empty:
        await self._conversations.end(self._id_of(params.conversation))
        return Empty()

    async def interrupt(self, params: ConversationParams) -> Interrupted:
        conversation = self._active(params.conversation)
        return Interrupted(interrupted=conversation is not None and conversation.interrupt())

    async def background(self, params: ConversationParams) -> InBackground:
        conversation = self._active(params.conversation)
        return InBackground(block=None if conversation is None else conversation.to_background())

    async def background_stop(self, params: BackgroundStopParams) -> Stopped:
        conversation = self._active(params.conversation)
        stopped = conversation is not None and conversation.stop_background(params.block)
        return Stopped(stopped=stopped)

    async def history_list(self, params: HistoryListParams) -> HistoryPage:
        history = self._history(params.conversation)
        entries, cursor = await asyncio.to_thread(
            history.list, params.limit, params.cursor, params.query
        )
        is_first = params.cursor is None and not params.query
        left_out = await asyncio.to_thread(history.passed_over) if is_first else []
        return HistoryPage(
            conversations=list(map(history_entry, entries)),
            cursor=cursor,
            passed_over=list(map(passed_over_file, left_out)),
        )

    async def history_get(self, params: ConversationParams) -> HistoryMessages:
        id = self._id_of(params.conversation)
        conversation = self._active(id)
        if conversation is not None:
            await conversation.load()
            messages = conversation.visible
        else:
            history = self._conversations.history_for(self._settings)
            loaded = await in_thread(partial(history.load, id))
            messages = loaded or []
        return HistoryMessages(conversation=id, messages=[dump(m) for m in messages])

    async def history_set(self, params: HistorySetParams) -> ConversationResult:
        conversation = self._open(params.conversation)
        used = None if params.usage is None else Budget(**msgspec.structs.asdict(params.usage))
        await conversation.restore(load(params.messages), used)
        self._announce(conversation, _CHANGED)
        return ConversationResult(conversation=conversation.id)

    async def history_undo(self, params: ConversationParams) -> Removed:
        conversation = self._open(params.conversation)
        removed = await conversation.undo()
        self._announce(conversation, _CHANGED)
        return Removed(removed=[dump(message) for message in removed])

    async def history_compact(self, params: ConversationParams) -> TurnResult:
        conversation = self._open(params.conversation)
        work = conversation.compact(self._emitter(conversation), self._model_for)
        return await self._result(conversation, work)

    async def history_reset(self, params: ConversationParams) -> Empty:
        conversation = self._open(params.conversation)
        await conversation.reset()
        self._announce(conversation, _CHANGED)
        return Empty()

    async def history_delete(self, params: HistoryDeleteParams) -> Deleted:
        conversation = self._active(params.conversation)
        history = self._history(params.conversation)
        deleted = await self._conversations.delete(params.conversation, history)
        if conversation is not None:
            self._announce(conversation, _CHANGED)
        return Deleted(deleted=deleted)

    async def files_list(self, params: ConversationParams) -> FileBlocks:
        return await file_blocks(await self._files(params.conversation))

    async def files_diff(self, params: FilesParams) -> FileDiffs:
        kept = await self._files(params.conversation)
        wanted = Wanted(turn=params.turn, block=params.block, path=params.path)
        return file_diffs(await kept.differences(wanted))

    async def files_undo(self, params: FilesUndoParams) -> FilesUndone:
        conversation = self._open(params.conversation)
        wanted = Wanted(turn=params.turn, block=params.block, path=params.path, redo=params.redo)
        undone = await conversation.undo_files(wanted)
        self._announce(conversation, _CHANGED)
        return files_undone(conversation.files, undone)

    async def settings_get(self, params: ConversationParams) -> dict[str, Any]:
        conversation = self._active(params.conversation)
        if conversation is None:
            return public(self._settings)
        return conversation.public_settings

    async def settings_set(self, params: SettingsSetParams) -> dict[str, Any]:
        conversation = self._open(params.conversation)
        conversation.configure(params.settings)
        self._announce(conversation, _CHANGED)
        logs.apply(conversation.settings)
        return conversation.public_settings

    async def languages(self, params: NoParams) -> Languages:
        settings = self._settings
        cwd, environ = settings.cwd or str(Path.cwd()), self._environ
        place = Workplace(cwd=cwd, python=settings.python, environ=environ)
        entries = [
            language_entry(language, place, self._daemon.versions)
            for language in languages(environ)
        ]
        return Languages(languages=await asyncio.gather(*entries))

    async def models(self, params: ConversationParams) -> ModelsResult:
        conversation = self._active(params.conversation)
        settings = conversation.settings if conversation else self._settings
        models = self._daemon.models
        offer, servers = await asyncio.gather(models.offered(settings), models.local.servers())
        return ModelsResult(
            server=ServerEntry(api_base=offer.api_base, models=list(offer.models))
            if offer
            else None,
            local=[
                ServerEntry(api_base=server.api_base, models=list(server.chatting))
                for server in servers
            ],
            offered=self._daemon.offers.models(),
        )

    async def model_offer(self, params: ModelOfferParams) -> Empty:
        if self._relay is None:
            raise InvalidError("models: this client cannot be told what to ask them")
        self._relay.models = params.models
        self._daemon.offers.add(self._relay)
        return Empty()

    async def model_reply(self, params: ModelReplyParams) -> ModelReplyResult:
        accepted = self._relay is not None and await self._relay.reply(params)
        return ModelReplyResult(accepted=accepted)

    async def variables(self, params: VariablesParams) -> Variables:
        interpreters = self._interpreters(params.conversation)
        if interpreters is None:
            return lookups.NO_VARIABLES
        return await lookups.variables(interpreters, params.language, params.limit)

    async def inspect(self, params: PlaceParams) -> Documentation:
        interpreters = self._interpreters(params.conversation)
        if interpreters is None:
            return lookups.NO_DOCUMENTATION
        return await lookups.documentation(interpreters, _place(params))

    async def complete(self, params: PlaceParams) -> Completions:
        interpreters = self._interpreters(params.conversation)
        if interpreters is None:
            return lookups.no_completions(min(params.position, len(params.code)))
        return await lookups.completions(interpreters, _place(params))

    async def status(self, params: NoParams) -> StatusResult:
        sink = self._receiver.sink
        return StatusResult(
            version=__version__,
            pid=os.getpid(),
            uptime=round(self._daemon.uptime, 3),
            memory=resident_bytes(),
            conversations=await asyncio.gather(*map(conversation_status, self._conversations)),
            queues=QueueDepths(
                requests=getattr(sink, "pending_requests", 0), outgoing_bytes=sink.pending_bytes
            ),
            problems=self._all_problems(),
        )

    def _all_problems(self) -> list[str]:
        """Each problem of the configuration and of the conversations, once."""
        folder = problem_of_folder(self._settings.cwd)
        lines = [*self._problems, *([folder] if folder else []), *guard_problems()]
        for conversation in self._conversations:
            lines += conversation.problems
        return list(dict.fromkeys(lines))

    def interrupt_turn(self, params: ChatParams | ExecuteParams) -> None:
        """Stop the turn of this request, because the client has cancelled the request."""
        conversation = self._active(params.conversation)
        if conversation is not None:
            conversation.interrupt()

    def decline_all(self) -> None:
        """Decline what waits for a person, now and later, because no more requests can come.

        Where other clients may come, theirs are awaited. The client's own models answer no more.
        """
        self._withdraw()
        if self._is_alone:
            self._conversations.decline_all()

    async def close(self) -> None:
        """End with the client: its own daemon too, but nothing that it shares with others."""
        self._conversations.leave(self._receiver)
        self._withdraw()
        if self._is_alone:
            await self._daemon.close()

    def _withdraw(self) -> None:
        """Offer the client's models no longer."""
        if self._relay is not None:
            self._daemon.offers.remove(self._relay)

    def _model_for(self, settings: Settings, environment: Environment) -> Model:
        """Return the model for a turn that this client has asked for."""
        return self._daemon.models.model(settings, environment, self._relay)

    def _id_of(self, id: str | None) -> str:
        """The id, or the default conversation's for None."""
        return self._default if id is None else id

    def _active(self, id: str | None) -> Conversation | None:
        """The conversation if the daemon has it in memory, else None."""
        return self._conversations.active(self._id_of(id))

    def _open(self, id: str | None) -> Conversation:
        """The conversation, active from now on."""
        return self._conversations.open(self._id_of(id), self._settings, self._environ)

    async def _files(self, id: str | None) -> KeptFiles:
        """What is kept of a conversation's files."""
        conversation = self._open(id)
        await conversation.files.configure(conversation.settings)
        return conversation.files

    def _history(self, id: str | None) -> History:
        """The history in which a conversation is kept; the client's own if it is not active."""
        conversation = self._active(id)
        settings = conversation.settings if conversation else self._settings
        return self._conversations.history_for(settings)

    def _interpreters(self, conversation: str | None) -> Interpreters | None:
        """The language processes of a conversation; None if it has none."""
        active = self._active(conversation)
        return None if active is None else active.interpreters

    async def _chat(self, params: ChatParams, is_sent: ChunkFilter) -> TurnResult:
        conversation = self._open(params.conversation)
        emit = self._emitter(conversation, is_sent)
        work = conversation.chat(
            params.message, emit, params.settings, self._model_for, params.displays
        )
        return await self._result(conversation, work)

    def _emitter(self, conversation: Conversation, is_sent: ChunkFilter = every_chunk) -> Emit:
        feed = self._conversations.feed(conversation.id)
        return feed.emitter(conversation, self._receiver, is_sent)

    def _announce(self, conversation: Conversation, event: EventChunk) -> None:
        self._conversations.feed(conversation.id).announce(conversation, event)

    async def _result(self, conversation: Conversation, work: Awaitable[Outcome]) -> TurnResult:
        """Wait for a turn's end, announce it, and return its result.

        Raises what the turn raises.
        """
        feed, before = self._conversations.feed(conversation.id), conversation.turns
        try:
            outcome = await work
        except Exception as error:
            if conversation.turns != before:  # it was accepted
                words = str(error) if isinstance(error, OIError) else "Something went wrong."
                words = without_controls(logs.redact(words))
                feed.end(conversation, {"status": "failed", "message": words})
            raise
        feed.end(conversation, {"status": outcome.status.value})
        return turn_result(conversation, outcome, feed.last_seq)


_CHANGED = EventChunk("changed")


def _place(params: PlaceParams) -> lookups.CodePlace:
    """Return the place in code that a request names."""
    return lookups.CodePlace(params.language, params.code, params.position)
