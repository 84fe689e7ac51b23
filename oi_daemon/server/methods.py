"""The daemon's conversations, and what each method of the wire does with them."""

import asyncio
import gc
import logging
import os
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from oi_daemon import __version__
from oi_daemon.conversation.budget import Budget
from oi_daemon.conversation.conversation import Conversation, Outcome, problem_of_folder
from oi_daemon.conversation.turn import Answer, Decision, Model
from oi_daemon.errors import NotInstalledError
from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.registry import find_language, languages, runnable
from oi_daemon.execution.languages.versions import Versions
from oi_daemon.history import History, new_id
from oi_daemon.logs import heed
from oi_daemon.messages import Chunk, Executing, InputRequest, dump, load
from oi_daemon.messages.text import without_controls
from oi_daemon.protocol.methods import (
    Accepted,
    ApproveParams,
    ChatParams,
    ConversationParams,
    ConversationResult,
    ConversationStatus,
    Deleted,
    Empty,
    ExecuteParams,
    HistoryDeleteParams,
    HistoryEntry,
    HistoryListParams,
    HistoryMessages,
    HistoryPage,
    HistorySetParams,
    InputParams,
    Interrupted,
    LanguageEntry,
    Languages,
    LocalServerEntry,
    ModelsResult,
    NoParams,
    QueueDepths,
    Removed,
    SessionUsage,
    SettingsSetParams,
    StatusResult,
    TurnResult,
    TurnUsage,
    chunk_params,
)
from oi_daemon.settings import Settings, change, public
from oi_daemon.settings.paths import conversations_path
from oi_daemon.settings.sources import load_settings

if TYPE_CHECKING:
    from oi_daemon.model.models import Models
    from oi_daemon.server.outbox import Outbox

logger = logging.getLogger(__name__)

_SETTLED = 1.0
"""Seconds after its start in which an editor has better use for the processor."""


class Methods:
    """Holds the conversations of one client. Its public coroutines are the wire's methods."""

    def __init__(self, outbox: "Outbox", *, debug: bool = False) -> None:
        """
        Args:
            debug: the setting `debug_mode`, unless the client says otherwise.
        """
        self._outbox = outbox
        self._given: dict[str, Any] = {"debug_mode": True} if debug else {}
        self._settings = Settings()
        self._problems: list[str] = []
        self._default = new_id()
        self._alone = False
        self._conversations: dict[str, Conversation] = {}
        self._histories: dict[Path, History] = {}
        self._seqs: dict[str, int] = {}
        self._versions = Versions()
        self._started = time.monotonic()
        self._background: set[asyncio.Task[None]] = set()

    @cached_property
    def _models(self) -> "Models":
        """Made at first need: the answer to `initialize` does not wait for these imports."""
        from oi_daemon.model.models import Models

        return Models(
            languages=runnable(),
            is_language=lambda word: find_language(word) is not None,
        )

    async def start(self, settings: Mapping[str, Any] | None, folder: str | None) -> None:
        """Take the configured settings and the client's own on top.

        Args:
            folder: the client's workspace: where code runs, unless the setting `cwd` says where.

        Raises:
            InvalidError: the client's do not fit.
        """
        loaded = load_settings()
        self._problems = loaded.problems
        self._settings = change(loaded.settings, {**self._given, **(settings or {})})
        if self._settings.cwd is None and folder is not None:
            self._settings = change(self._settings, {"cwd": folder})
        heed(self._settings)

    def add_problem(self, text: str) -> None:
        """Add a line to the `problems` of `oi/status`."""
        self._problems = [*self._problems, text]

    def preload(self) -> None:
        """Import what is slow to import, in the background, once the client has settled.

        Who asks a model sooner than that does not wait for it.
        """
        self._spawn(self._import())

    async def _import(self) -> None:
        """Then keep the garbage collector from going through all of it, again and again.

        Otherwise the time of a long stream grows faster than its length.
        """
        await asyncio.sleep(_SETTLED)
        await self._models.preload()
        gc.freeze()

    async def stream(self, params: ChatParams) -> TurnResult:
        return await self._chat(params, lambda chunk: True)

    async def chat(self, params: ChatParams) -> TurnResult:
        return await self._chat(params, _waits)

    async def execute(self, params: ExecuteParams) -> TurnResult:
        conversation = self._conversation(params.conversation)
        emit = self._emitter(conversation, lambda chunk: True)
        return self._result(
            conversation, await conversation.execute(params.language, params.code, emit)
        )

    async def approve(self, params: ApproveParams) -> Accepted:
        conversation = self._live(params.conversation)
        answer = Answer(Decision(params.decision), params.code)
        return Accepted(
            accepted=conversation is not None and conversation.approve(params.approval, answer)
        )

    async def input(self, params: InputParams) -> Accepted:
        conversation = self._live(params.conversation)
        return Accepted(
            accepted=conversation is not None
            and await conversation.input(params.input, params.value)
        )

    async def interrupt(self, params: ConversationParams) -> Interrupted:
        conversation = self._live(params.conversation)
        return Interrupted(interrupted=conversation is not None and conversation.interrupt())

    async def history_list(self, params: HistoryListParams) -> HistoryPage:
        entries, cursor = await asyncio.to_thread(
            self._history(params.conversation).list, params.limit, params.cursor, params.query
        )
        shown = [
            HistoryEntry(
                conversation=entry.conversation,
                title=without_controls(entry.title),
                updated=entry.updated,
                messages=entry.messages,
            )
            for entry in entries
        ]
        return HistoryPage(conversations=shown, cursor=cursor)

    async def history_get(self, params: ConversationParams) -> HistoryMessages:
        id = self._id(params.conversation)
        conversation = self._live(id)
        if conversation is not None:
            messages = conversation.visible
        else:
            messages = self._history().load(id) or []
        return HistoryMessages(conversation=id, messages=[dump(m) for m in messages])

    async def history_set(self, params: HistorySetParams) -> ConversationResult:
        conversation = self._conversation(params.conversation)
        used = None if params.usage is None else Budget(**msgspec.structs.asdict(params.usage))
        conversation.restore(load(params.messages), used)
        return ConversationResult(conversation=conversation.id)

    async def history_undo(self, params: ConversationParams) -> Removed:
        removed = self._conversation(params.conversation).undo()
        return Removed(removed=[dump(message) for message in removed])

    async def history_reset(self, params: ConversationParams) -> Empty:
        await self._conversation(params.conversation).reset()
        return Empty()

    async def history_delete(self, params: HistoryDeleteParams) -> Deleted:
        conversation = self._live(params.conversation)
        if conversation is None:
            return Deleted(deleted=self._history().delete(params.conversation))
        conversation.refuse_if_busy()
        del self._conversations[conversation.id]
        conversation.delete()
        await conversation.close()
        return Deleted(deleted=True)

    async def settings_get(self, params: ConversationParams) -> dict[str, Any]:
        conversation = self._live(params.conversation)
        return public(conversation.settings if conversation else self._settings)

    async def settings_set(self, params: SettingsSetParams) -> dict[str, Any]:
        conversation = self._conversation(params.conversation)
        conversation.configure(params.settings)
        heed(conversation.settings)
        return public(conversation.settings)

    async def languages(self, params: NoParams) -> Languages:
        settings = self._settings
        place = Workplace(cwd=settings.cwd or str(Path.cwd()), python=settings.python)
        entries = [self._language(language, place) for language in languages()]
        return Languages(languages=await asyncio.gather(*entries))

    async def models(self, params: NoParams) -> ModelsResult:
        servers = await self._models.local.servers()
        return ModelsResult(
            local=[
                LocalServerEntry(api_base=it.api_base, models=list(it.chatting)) for it in servers
            ]
        )

    async def status(self, params: NoParams) -> StatusResult:
        return StatusResult(
            version=__version__,
            pid=os.getpid(),
            uptime=round(time.monotonic() - self._started, 3),
            memory=_resident_bytes(),
            conversations=[
                ConversationStatus(
                    conversation=conversation.id,
                    state=conversation.state,
                    model=conversation.settings.model,
                    cost=conversation.budget.cost,
                    usage=_session(conversation.budget),
                )
                for conversation in self._conversations.values()
            ],
            queues=QueueDepths(
                requests=self._outbox.pending_requests, outgoing_bytes=self._outbox.pending_bytes
            ),
            problems=self._all_problems(),
        )

    def _all_problems(self) -> list[str]:
        """Each problem of the configuration and of the conversations, once."""
        folder = problem_of_folder(self._settings.cwd)
        lines = [*self._problems, *([folder] if folder else [])]
        for conversation in self._conversations.values():
            lines += conversation.problems
        return list(dict.fromkeys(lines))

    def language_names(self) -> list[str]:
        return [language.name for language in languages()]

    def interrupt_turn(self, params: ChatParams | ExecuteParams) -> None:
        """The client cancelled the request that runs this turn."""
        conversation = self._live(params.conversation)
        if conversation is not None:
            conversation.interrupt()

    def decline_all(self) -> None:
        """No more requests can come: what waits for a person is declined, now and later."""
        self._alone = True
        for conversation in self._conversations.values():
            self._spawn(conversation.decline())

    async def close(self) -> None:
        """Interrupt what runs, and end all processes."""
        for task in self._background:
            task.cancel()
        closing = [conversation.close() for conversation in self._conversations.values()]
        if "_models" in vars(self):
            closing.append(self._models.close())
        for failed in filter(None, await asyncio.gather(*closing, return_exceptions=True)):
            logger.error("closing failed", exc_info=failed)

    async def _language(self, language: Language, place: Workplace) -> LanguageEntry:
        why, path = language.missing(), None
        try:
            path = language.path(place)
        except NotInstalledError as error:
            why = str(error)
        return LanguageEntry(
            name=language.name,
            aliases=list(language.aliases),
            available=why is None,
            suffix=language.suffix,
            lexer=language.lexer,
            vscode=list(language.vscode),
            neovim=list(language.neovim),
            why=why,
            path=path,
            version=path and await self._versions.version(path),
        )

    async def _chat(self, params: ChatParams, shown: Callable[[Chunk], bool]) -> TurnResult:
        conversation = self._conversation(params.conversation)
        emit = self._emitter(conversation, shown)
        return self._result(
            conversation, await conversation.chat(params.message, emit, params.settings)
        )

    def _emitter(
        self, conversation: Conversation, shown: Callable[[Chunk], bool]
    ) -> Callable[[Chunk], Awaitable[None]]:
        id = conversation.id

        async def emit(chunk: Chunk) -> None:
            if not shown(chunk):
                return
            seq = self._seqs[id] = self._seqs.get(id, 0) + 1
            turn, state = conversation.turns, conversation.state
            self._outbox.chunk(chunk_params(chunk, id, turn, seq, state))
            await self._outbox.drain()

        return emit

    def _result(self, conversation: Conversation, outcome: Outcome) -> TurnResult:
        usage = outcome.usage
        return TurnResult(
            conversation=conversation.id,
            turn=conversation.turns,
            status=outcome.status.value,
            messages=[dump(message) for message in outcome.messages],
            usage=TurnUsage(
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                cost=usage.cost,
            ),
            session=_session(conversation.budget),
            last_seq=self._seqs.get(conversation.id, 0),
        )

    def _history(self, id: str | None = None) -> History:
        """The history that a conversation is kept in; the daemon's own, if it is not at work."""
        conversation = self._live(id)
        return self._history_for(conversation.settings if conversation else self._settings)

    def _history_for(self, settings: Settings) -> History:
        """The history in the folder that the settings name; one object a folder."""
        named = settings.conversation_history_path
        folder = Path(named).expanduser().absolute() if named else conversations_path()
        return self._histories.setdefault(folder, History(folder))

    def _model(self, settings: Settings) -> Model:
        return self._models.model(settings)

    def _id(self, id: str | None) -> str:
        return self._default if id is None else id

    def _live(self, id: str | None) -> Conversation | None:
        return self._conversations.get(self._id(id))

    def _conversation(self, id: str | None) -> Conversation:
        """The conversation; made, and its history read, at first need."""
        name = self._id(id)
        conversation = self._conversations.get(name)
        if conversation is None:
            saved = self._history().load(name) or []
            conversation = Conversation(name, self._settings, self._model, self._history_for, saved)
            self._conversations[name] = conversation
            if self._alone:
                self._spawn(conversation.decline())
        return conversation

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _session(budget: Budget) -> SessionUsage:
    return SessionUsage(
        input_tokens=budget.input_tokens,
        output_tokens=budget.output_tokens,
        cost=budget.cost,
        unpriced=budget.unpriced,
    )


def _waits(chunk: Chunk) -> bool:
    """Whether a person has to answer before the turn goes on."""
    return isinstance(chunk, InputRequest) or (
        isinstance(chunk, Executing) and chunk.approval is not None
    )


def _resident_bytes() -> int:
    """Resident memory of this process; its highest so far where /proc does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
