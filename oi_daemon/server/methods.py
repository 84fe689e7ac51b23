"""The methods of the wire: what each request does. `results` makes what they return."""

import asyncio
import gc
import logging
import os
import time
from collections.abc import Awaitable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from oi_daemon import __version__, logs
from oi_daemon.conversation.budget import Budget
from oi_daemon.conversation.collaborators import Answer, Decision, Model
from oi_daemon.conversation.conversation import Conversation, Outcome
from oi_daemon.conversation.processes import problem_of_folder
from oi_daemon.execution import lookups
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.registry import find_language, languages, runnable
from oi_daemon.execution.languages.versions import Versions
from oi_daemon.execution.process.guard import guard_problems
from oi_daemon.history import in_thread
from oi_daemon.messages import Chunk, Executing, InputRequest, dump, load
from oi_daemon.model.environment import Environment
from oi_daemon.protocol.lookups import Completions, Documentation, Variables
from oi_daemon.protocol.methods import (
    Accepted,
    ApproveParams,
    ChatParams,
    ConversationParams,
    ConversationResult,
    Deleted,
    Empty,
    ExecuteParams,
    HistoryDeleteParams,
    HistoryListParams,
    HistoryMessages,
    HistoryPage,
    HistorySetParams,
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
    TurnResult,
    VariablesParams,
)
from oi_daemon.server.background import Background
from oi_daemon.server.conversations import ChunkFilter, Conversations
from oi_daemon.server.results import (
    conversation_status,
    history_entry,
    language_entry,
    resident_bytes,
    turn_result,
)
from oi_daemon.settings import Settings, change, public
from oi_daemon.settings.sources import load_settings

if TYPE_CHECKING:
    from oi_daemon.model.models import Models
    from oi_daemon.server.outbox import Outbox

logger = logging.getLogger(__name__)

_PRELOAD_AFTER = 1.0
"""Seconds between the client's first request and the import of what is slow to import."""


class Methods:
    """Serves the requests of one client. Its public coroutines are the wire's methods."""

    def __init__(self, outbox: "Outbox", *, debug: bool = False) -> None:
        """
        Args:
            debug: the setting `debug_mode`, unless the client sets it.
        """
        self._outbox = outbox
        self._debug = debug
        self._conversations = Conversations(outbox, self._model)
        self._problems: list[str] = []
        """What is wrong with the configuration and the client's parameters, each a line."""
        self._versions = Versions()
        self._started = time.monotonic()
        self._background = Background()

    @cached_property
    def _models(self) -> "Models":
        """All models. Imported at first need, because `initialize` must not wait for it."""
        from oi_daemon.model.models import Models

        return Models(
            languages=runnable(),
            is_language=lambda word: find_language(word) is not None,
        )

    async def start(self, settings: Mapping[str, Any] | None, folder: str | None) -> None:
        """Load the configured settings and apply the client's own on top.

        Args:
            folder: the client's workspace: where code runs if the setting `cwd` is not set.

        Raises:
            InvalidError: the client's settings do not fit.
        """
        loaded = load_settings()
        self._problems = loaded.problems
        given = {"debug_mode": True} if self._debug else {}
        configured = change(loaded.settings, {**given, **(settings or {})})
        if configured.cwd is None and folder is not None:
            configured = change(configured, {"cwd": folder})
        self._conversations.settings = configured
        logs.apply(configured)

    def add_problem(self, text: str) -> None:
        """Add a line to the `problems` of `oi/status`."""
        self._problems = [*self._problems, text]

    def preload(self) -> None:
        """Import in the background what is slow to import, so that the first turn need not wait.

        Begins a little later, because an editor that has just started needs the processor itself.
        """
        self._background.start(self._preload())

    async def _preload(self) -> None:
        """Import, then exempt what is there from garbage collection.

        Otherwise the collector would go through all of it again and again, and the time of a long
        stream would grow faster than its length.
        """
        await asyncio.sleep(_PRELOAD_AFTER)
        await self._models.preload()
        gc.freeze()

    async def stream(self, params: ChatParams) -> TurnResult:
        return await self._chat(params, _every_chunk)

    async def chat(self, params: ChatParams) -> TurnResult:
        return await self._chat(params, _waits)

    async def execute(self, params: ExecuteParams) -> TurnResult:
        conversation = self._conversations.open(params.conversation)
        emit = self._conversations.emitter(conversation, _every_chunk)
        outcome = await conversation.execute(params.language, params.code, emit)
        return self._result(conversation, outcome)

    async def approve(self, params: ApproveParams) -> Accepted:
        conversation = self._conversations.active(params.conversation)
        answer = Answer(Decision(params.decision), params.code)
        return Accepted(
            accepted=conversation is not None and conversation.approve(params.approval, answer)
        )

    async def input(self, params: InputParams) -> Accepted:
        conversation = self._conversations.active(params.conversation)
        return Accepted(
            accepted=conversation is not None
            and await conversation.input(params.input, params.value)
        )

    async def interrupt(self, params: ConversationParams) -> Interrupted:
        conversation = self._conversations.active(params.conversation)
        return Interrupted(interrupted=conversation is not None and conversation.interrupt())

    async def history_list(self, params: HistoryListParams) -> HistoryPage:
        entries, cursor = await asyncio.to_thread(
            self._conversations.history(params.conversation).list,
            params.limit,
            params.cursor,
            params.query,
        )
        return HistoryPage(conversations=list(map(history_entry, entries)), cursor=cursor)

    async def history_get(self, params: ConversationParams) -> HistoryMessages:
        id = self._conversations.id_of(params.conversation)
        conversation = self._conversations.active(id)
        if conversation is not None:
            await conversation.load()
            messages = conversation.visible
        else:
            history = self._conversations.history(None)
            loaded = await in_thread(partial(history.load, id))
            messages = loaded or []
        return HistoryMessages(conversation=id, messages=[dump(m) for m in messages])

    async def history_set(self, params: HistorySetParams) -> ConversationResult:
        conversation = self._conversations.open(params.conversation)
        used = None if params.usage is None else Budget(**msgspec.structs.asdict(params.usage))
        await conversation.restore(load(params.messages), used)
        return ConversationResult(conversation=conversation.id)

    async def history_undo(self, params: ConversationParams) -> Removed:
        removed = await self._conversations.open(params.conversation).undo()
        return Removed(removed=[dump(message) for message in removed])

    async def history_compact(self, params: ConversationParams) -> TurnResult:
        conversation = self._conversations.open(params.conversation)
        emit = self._conversations.emitter(conversation, _every_chunk)
        return self._result(conversation, await conversation.compact(emit))

    async def history_reset(self, params: ConversationParams) -> Empty:
        await self._conversations.open(params.conversation).reset()
        return Empty()

    async def history_delete(self, params: HistoryDeleteParams) -> Deleted:
        return Deleted(deleted=await self._conversations.delete(params.conversation))

    async def settings_get(self, params: ConversationParams) -> dict[str, Any]:
        conversation = self._conversations.active(params.conversation)
        if conversation is None:
            return public(self._conversations.settings)
        return conversation.public_settings

    async def settings_set(self, params: SettingsSetParams) -> dict[str, Any]:
        conversation = self._conversations.open(params.conversation)
        conversation.configure(params.settings)
        logs.apply(conversation.settings)
        return conversation.public_settings

    async def languages(self, params: NoParams) -> Languages:
        settings = self._conversations.settings
        place = Workplace(cwd=settings.cwd or str(Path.cwd()), python=settings.python)
        entries = [language_entry(language, place, self._versions) for language in languages()]
        return Languages(languages=await asyncio.gather(*entries))

    async def models(self, params: ConversationParams) -> ModelsResult:
        conversation = self._conversations.active(params.conversation)
        settings = conversation.settings if conversation else self._conversations.settings
        offer, servers = await asyncio.gather(
            self._models.offered(settings), self._models.local.servers()
        )
        return ModelsResult(
            server=ServerEntry(api_base=offer.api_base, models=list(offer.models))
            if offer
            else None,
            local=[
                ServerEntry(api_base=server.api_base, models=list(server.chatting))
                for server in servers
            ],
        )

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
        return StatusResult(
            version=__version__,
            pid=os.getpid(),
            uptime=round(time.monotonic() - self._started, 3),
            memory=resident_bytes(),
            conversations=list(map(conversation_status, self._conversations)),
            queues=QueueDepths(
                requests=self._outbox.pending_requests, outgoing_bytes=self._outbox.pending_bytes
            ),
            problems=self._all_problems(),
        )

    def _all_problems(self) -> list[str]:
        """Each problem of the configuration and of the conversations, once."""
        folder = problem_of_folder(self._conversations.settings.cwd)
        lines = [*self._problems, *([folder] if folder else []), *guard_problems()]
        for conversation in self._conversations:
            lines += conversation.problems
        return list(dict.fromkeys(lines))

    def language_names(self) -> list[str]:
        """The names of all languages, for the answer to `initialize`."""
        return [language.name for language in languages()]

    def interrupt_turn(self, params: ChatParams | ExecuteParams) -> None:
        """Stop the turn of this request, because the client has cancelled the request."""
        conversation = self._conversations.active(params.conversation)
        if conversation is not None:
            conversation.interrupt()

    def decline_all(self) -> None:
        """Decline what waits for a person, now and later, because no more requests can come."""
        self._conversations.decline_all()

    async def close(self) -> None:
        """Interrupt what runs, and end all processes."""
        self._background.cancel()
        closing: list[Awaitable[object]] = [self._conversations.close()]
        if "_models" in vars(self):
            closing.append(self._models.close())
        for outcome in await asyncio.gather(*closing, return_exceptions=True):
            errors = outcome if isinstance(outcome, list) else [outcome]
            for error in errors:
                if isinstance(error, BaseException):
                    logger.error("closing failed", exc_info=error)

    def _interpreters(self, conversation: str | None) -> Interpreters | None:
        """The language processes of a conversation; None if it has none."""
        active = self._conversations.active(conversation)
        return None if active is None else active.interpreters

    async def _chat(self, params: ChatParams, is_sent: ChunkFilter) -> TurnResult:
        conversation = self._conversations.open(params.conversation)
        emit = self._conversations.emitter(conversation, is_sent)
        outcome = await conversation.chat(params.message, emit, params.settings)
        return self._result(conversation, outcome)

    def _result(self, conversation: Conversation, outcome: Outcome) -> TurnResult:
        return turn_result(conversation, outcome, self._conversations.last_seq(conversation.id))

    def _model(self, settings: Settings, environment: Environment) -> Model:
        return self._models.model(settings, environment)


def _place(params: PlaceParams) -> lookups.CodePlace:
    """Return the place in code that a request names."""
    return lookups.CodePlace(params.language, params.code, params.position)


def _every_chunk(chunk: Chunk) -> bool:
    """Return True: `oi/stream` and `oi/execute` send all chunks."""
    return True


def _waits(chunk: Chunk) -> bool:
    """Return whether a person has to answer this chunk before the turn goes on."""
    return isinstance(chunk, InputRequest) or (
        isinstance(chunk, Executing) and chunk.approval is not None
    )
