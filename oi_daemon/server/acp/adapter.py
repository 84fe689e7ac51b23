"""Answers the requests of one ACP client."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from oi_daemon import __version__
from oi_daemon.errors import BusyError, InternalError, InvalidError, OIError, RequestError
from oi_daemon.history import new_id
from oi_daemon.protocol.jsonrpc import Call
from oi_daemon.protocol.methods import (
    ChunkParams,
    ConversationParams,
    HistoryDeleteParams,
    HistoryListParams,
    NoParams,
    convert_params,
)
from oi_daemon.server.acp import commands, types
from oi_daemon.server.acp.options import settings_for_mode, settings_for_option
from oi_daemon.server.acp.questions import Questions, has_forms
from oi_daemon.server.acp.session import AcpSession
from oi_daemon.server.acp.updates import Updates
from oi_daemon.server.peer import FrameSink, Peer

if TYPE_CHECKING:
    from oi_daemon.server.methods import Methods

logger = logging.getLogger(__name__)

_LOGIN_NEEDED = -32000
"""By this code ACP asks for a login, so no error of ours may have it."""
_SETTLE = 0.05
"""Seconds between the last update of a loaded session and the answer. The Python SDK handles each
message in a task of its own, so its clients would take the last updates for new ones."""
_MCP_IGNORED = "The client's MCP servers are not used in this session.\n"
_SHOW_TITLES = ("CodeCompanion.nvim", "Jupyter AI")
"""Names of clients that show no more of a tool call than its title when they ask about it."""
_CAPABILITIES: dict[str, Any] = {
    "loadSession": True,
    "promptCapabilities": {"image": True, "audio": False, "embeddedContext": True},
    "mcpCapabilities": {"http": False, "sse": False},
    "sessionCapabilities": {"list": {}, "resume": {}, "close": {}, "delete": {}},
}


class ByteSink(FrameSink, Protocol):
    """Takes an adapter's messages, and says how much of them waits there."""

    @property
    def pending_bytes(self) -> int: ...


class AcpAdapter:
    """One client: its sessions, and the handlers of its requests.

    It is the peer's `PeerHandler`, and takes the chunks of the client's conversations.
    """

    def __init__(self, sink: ByteSink, make: Callable[["AcpAdapter"], "Methods"]) -> None:
        """
        Args:
            sink: takes the messages to the client.
            make: makes what serves the client, and sends its chunks here.
        """
        self.peer = Peer(self, sink, cancel="$/cancel_request")
        self._sink = sink
        self._methods = make(self)
        self._sessions: dict[str, AcpSession] = {}
        self._starting = asyncio.Lock()
        self._is_started = False
        self._has_forms = self._shows_titles = False
        self._models: tuple[list[str], list[str]] = ([], [])
        """Names of the server's models, and of those on this machine, as far as known."""
        self._handlers: dict[str, tuple[Any, Callable[[Any], Awaitable[Any]]]] = {
            "initialize": (types.Greeting, self._initialize),
            "session/new": (types.NewSession, self._new),
            "session/load": (types.KnownSession, self._load),
            "session/resume": (types.KnownSession, self._resume),
            "session/list": (types.SessionQuery, self._list),
            "session/close": (types.NamedSession, self._close_session),
            "session/delete": (types.NamedSession, self._delete),
            "session/prompt": (types.SessionPrompt, self._prompt),
            "session/set_mode": (types.ModeChoice, self._set_mode),
            "session/set_config_option": (types.OptionChoice, self._set_option),
        }

    # The peer's handler

    async def request(self, call: Call) -> Any:
        """Answer a request of the client."""
        if call.method == "authenticate":
            return {}
        if call.method not in self._handlers:
            raise RequestError(RequestError.NO_METHOD, f"{call.method}: there is no such method")
        params, handle = self._handlers[call.method]
        await self._start()
        try:
            return await handle(convert_params(call.params, params))
        except OIError as error:
            if error.code == _LOGIN_NEEDED:
                error.code = InternalError.code
            raise

    async def notification(self, call: Call) -> None:
        """Apply a notification of the client."""
        if call.method == "session/cancel":
            session = self._session(convert_params(call.params, types.NamedSession).session_id)
            await session.cancel()

    # The sink of the conversations' chunks

    @property
    def pending_bytes(self) -> int:
        """Number of bytes that the client has not read yet, about."""
        return self._sink.pending_bytes

    def chunk(self, params: ChunkParams) -> None:
        """Show a chunk to the client."""
        if session := self._sessions.get(params.conversation):
            session.chunk(params)

    async def drain(self) -> None:
        """Wait while too much is queued."""
        await self._sink.drain()

    # The client's life

    async def _start(self) -> None:
        """Load the settings, once."""
        async with self._starting:
            if not self._is_started:
                await self._methods.start(None, None)
                self._is_started = True

    async def end_of_input(self) -> None:
        """Finish and answer what was accepted, without anybody to approve code or type input."""
        self._methods.decline_all()
        await self.peer.finish()

    async def close(self) -> None:
        """End with the client: what it has begun ends too, unless others can go on with it."""
        self._methods.decline_all()
        for session in self._sessions.values():
            session.forget()
        await self._methods.close()

    async def _initialize(self, params: types.Greeting) -> dict[str, Any]:
        self._has_forms = has_forms(params.client_capabilities)
        self._shows_titles = (params.client_info or {}).get("name") in _SHOW_TITLES
        self._methods.preload()
        return {
            "protocolVersion": types.VERSION,
            "agentCapabilities": _CAPABILITIES,
            "agentInfo": {
                "name": "oi-daemon",
                "title": "Open Interpreter",
                "version": __version__,
            },
            "authMethods": [],
        }

    # Sessions

    async def _new(self, params: types.NewSession) -> types.SessionBegun:
        session = await self._open(new_id(), params.cwd, params.mcp_servers)
        await session.follow(show=False)
        state = await self._shown(session)
        return types.SessionBegun(
            session_id=session.id, modes=state.modes, config_options=state.config_options
        )

    async def _load(self, params: types.KnownSession) -> types.SessionState:
        session = await self._known(params)
        await session.follow(show=True)
        await asyncio.sleep(_SETTLE)
        return await self._shown(session)

    async def _resume(self, params: types.KnownSession) -> types.SessionState:
        session = await self._known(params)
        await session.follow(show=False)
        return await self._shown(session)

    async def _known(self, params: types.KnownSession) -> AcpSession:
        """Open a session that is stored, or open already."""
        id = params.session_id
        stored = await self._methods.history_get(ConversationParams(conversation=id))
        if not stored.messages and id not in self._sessions:
            raise _no_session(id)
        session = await self._open(id, params.cwd, params.mcp_servers or [])
        return session

    async def _open(self, id: str, cwd: str, mcp_servers: list[Any]) -> AcpSession:
        """Return the session; a new one works in this folder."""
        if session := self._sessions.get(id):
            return session
        if not await asyncio.to_thread(_is_folder, cwd):
            raise InvalidError(f"cwd: there is no folder {cwd}; give the absolute path of one")
        updates = Updates(self.peer, id)
        questions = Questions(self.peer, id, has_forms=self._has_forms)
        session = AcpSession(
            *(id, cwd, self._methods, updates, questions, lambda: self._models),
            in_words=self._shows_titles,
        )
        self._sessions[id] = session
        configured = await self._methods.settings_get(ConversationParams())
        if configured["cwd"] is None and not await self._is_active(id):
            await session.choose({"cwd": cwd})
        if mcp_servers:
            logger.warning("%s", _MCP_IGNORED.strip())
            session.note = _MCP_IGNORED
        return session

    async def _is_active(self, id: str) -> bool:
        """Whether the daemon has the conversation already, so that its folder is known."""
        status = await self._methods.status(NoParams())
        return any(each.conversation == id for each in status.conversations)

    async def _shown(self, session: AcpSession) -> types.SessionState:
        """Return what a client gets to know of a session that it has opened."""
        modes, options = await session.choices()
        session.in_background(self._complete(session))
        return types.SessionState(modes=modes, config_options=options)

    async def _complete(self, session: AcpSession) -> None:
        """Send what the answer to the opening of a session does not wait for."""
        session.updates.send(commands.AVAILABLE)
        try:
            found = await self._methods.models(ConversationParams(conversation=session.id))
        except OIError as error:
            return logger.info("the models cannot be listed: %s", error)
        local = [name for server in found.local for name in server.models]
        self._models = (found.server.models if found.server else [], local)
        await session.show_settings()

    async def _list(self, params: types.SessionQuery) -> types.SessionPage:
        page = await self._methods.history_list(HistoryListParams(cursor=params.cursor))
        listed = []
        for entry in page.conversations:
            session = self._sessions.get(entry.conversation)
            cwd = session.cwd if session else params.cwd or str(Path.cwd())
            if params.cwd in (None, cwd):
                listed.append(
                    types.ListedSession(
                        session_id=entry.conversation,
                        cwd=cwd,
                        title=entry.title,
                        updated_at=entry.updated,
                    )
                )
        return types.SessionPage(sessions=listed, next_cursor=page.cursor)

    async def _close_session(self, params: types.NamedSession) -> dict[str, Any]:
        session = self._session(params.session_id)
        await session.close()
        del self._sessions[session.id]
        return {}

    async def _delete(self, params: types.NamedSession) -> dict[str, Any]:
        if params.session_id in self._sessions:
            await self._close_session(params)
        await self._methods.history_delete(HistoryDeleteParams(conversation=params.session_id))
        return {}

    async def _prompt(self, params: types.SessionPrompt) -> types.PromptResult:
        session = self._session(params.session_id)
        if session.is_busy:
            raise BusyError("A turn is under way in this session: wait for it, or cancel it.")
        message = session.attachments.message(params.prompt)
        with session.one_turn():
            if not commands.is_command(message):
                return await session.ask(message)
            try:
                session.updates.say(await commands.run_command(session, message))
            except OIError as error:
                session.updates.say(str(error))
            await session.show_settings()
        return types.PromptResult(stop_reason="end_turn")

    async def _set_mode(self, params: types.ModeChoice) -> dict[str, Any]:
        session = self._session(params.session_id)
        await session.choose(settings_for_mode(params.mode_id, await session.settings()))
        await session.show_settings()
        return {}

    async def _set_option(self, params: types.OptionChoice) -> types.OptionsResult:
        session = self._session(params.session_id)
        changes = settings_for_option(params.config_id, params.value, await session.settings())
        await session.choose(changes)
        _, options = await session.choices()
        return types.OptionsResult(config_options=options)

    def _session(self, id: str) -> AcpSession:
        """Return an open session.

        Raises:
            RequestError: there is none under this id.
        """
        session = self._sessions.get(id)
        if session is None:
            raise _no_session(id)
        return session


def _is_folder(path: str) -> bool:
    """Whether this is the absolute path of a folder."""
    return Path(path).is_absolute() and Path(path).is_dir()


def _no_session(id: str) -> RequestError:
    return RequestError(types.NOT_FOUND, f"sessionId: there is no session {id}")
