"""A host's requests, in both revisions of the protocol.

With a handshake, `initialize` says what the host can do, and the daemon asks it. In the revision
without one, each request says it, and a question is a result that the host answers by its request
again.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from oi_daemon import __version__
from oi_daemon.errors import RequestError
from oi_daemon.execution.languages.registry import runnable
from oi_daemon.history import new_id
from oi_daemon.protocol.jsonrpc import Call
from oi_daemon.protocol.methods import ConversationParams, HistoryListParams
from oi_daemon.server.mcp import resources
from oi_daemon.server.mcp.block_chunks import BlockChunks
from oi_daemon.server.mcp.calls import CalledMethods, HostCalls
from oi_daemon.server.mcp.exchanges import (
    AnsweringExchange,
    AskingExchange,
    ProgressNotifier,
)
from oi_daemon.server.mcp.listings import INSTRUCTIONS, tools
from oi_daemon.server.mcp.shapes import (
    CAPABILITIES_KEY,
    HANDSHAKE,
    MODERN,
    UNSUPPORTED_VERSION,
    VERSION_KEY,
    CursorParams,
    InitializeParams,
    ReadParams,
    RequestMeta,
    ToolParams,
    converted,
    meta_of,
)

if TYPE_CHECKING:
    from oi_daemon.server.peer import Peer

_INFO = {"name": "oi-daemon", "title": "Open Interpreter", "version": __version__}
_CAPABILITIES: dict[str, Any] = {"tools": {}, "resources": {}}
_PAGE = 100
"""Resources in one page of their list."""
_MOST_WAITING = 100
"""Most calls that wait for an answer to their question at a time."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A call that goes on with the host's next request."""

    task: asyncio.Task[dict[str, Any]]
    exchange: AnsweringExchange
    name: str
    arguments: Mapping[str, Any]


class McpMethods(CalledMethods, Protocol):
    """The wire's methods, with their beginning and end."""

    async def start(self, settings: dict[str, Any] | None, folder: str | None) -> None: ...
    def decline_all(self) -> None: ...
    async def close(self) -> None: ...


class McpAdapter:
    """Implements `oi_daemon.server.peer.PeerHandler` for one host."""

    def __init__(self, methods: McpMethods, feed: BlockChunks) -> None:
        """
        Args:
            feed: what the methods send their chunks to.
        """
        self.peer: Peer | None = None
        """The host. Set before the first message."""
        self._methods = methods
        self._calls = HostCalls(methods, feed, new_id())
        self._can_ask = False
        """Whether the host has said in its handshake that it can ask the person."""
        self._waiting: dict[str, _Waiting] = {}
        """The calls whose question was given as a result, by the state that names each."""
        self._begun: dict[asyncio.Task[dict[str, Any]], AnsweringExchange] = {}
        """All calls without a handshake that have not ended."""
        self._methods_by_name: Mapping[str, Callable[[Call, bool], Awaitable[dict[str, Any]]]] = {
            "initialize": self._initialize,
            "ping": self._ping,
            "server/discover": self._discover,
            "tools/list": self._list_tools,
            "tools/call": self._call_tool,
            "resources/list": self._list_resources,
            "resources/templates/list": self._list_templates,
            "resources/read": self._read_resource,
        }

    async def request(self, call: Call) -> Any:
        """See `PeerHandler.request`."""
        handle = self._methods_by_name.get(call.method)
        if handle is None:
            raise RequestError(RequestError.NO_METHOD, f"{call.method}: there is no such method")
        version = meta_of(call.params).get(VERSION_KEY)
        is_modern = version is not None and call.method != "initialize"
        if is_modern and version != MODERN:
            raise UnsupportedVersionError(str(version))
        result = await handle(call, is_modern)
        return {"resultType": "complete", **result} if is_modern else result

    async def notification(self, call: Call) -> None:
        """See `PeerHandler.notification`. None of them changes anything."""

    async def end_of_input(self) -> None:
        """Finish and answer the calls, without anybody to answer their questions."""
        assert self.peer is not None
        self._methods.decline_all()
        await self.peer.finish()

    async def close(self) -> None:
        """End with the host: what runs ends too, unless others can go on with it."""
        for exchange in self._begun.values():
            exchange.lose()
        self._methods.decline_all()
        await self._methods.close()

    @property
    def unanswered(self) -> set[asyncio.Task[Any]]:
        """What is still worked on."""
        assert self.peer is not None
        return {*self.peer.unanswered, *self._begun}

    async def _initialize(self, call: Call, _: bool) -> dict[str, Any]:
        params = converted(call.params, InitializeParams)
        self._can_ask = _has_forms(params.capabilities)
        asked = params.protocol_version
        return {
            "protocolVersion": asked if asked in HANDSHAKE else HANDSHAKE[0],
            "capabilities": _CAPABILITIES,
            "serverInfo": _INFO,
            "instructions": INSTRUCTIONS,
        }

    async def _ping(self, call: Call, _: bool) -> dict[str, Any]:
        return {}

    async def _discover(self, call: Call, _: bool) -> dict[str, Any]:
        return {
            "supportedVersions": [MODERN],
            "capabilities": _CAPABILITIES,
            "instructions": INSTRUCTIONS,
            "_meta": {"io.modelcontextprotocol/serverInfo": _INFO},
            **_FRESH,
        }

    async def _list_tools(self, call: Call, is_modern: bool) -> dict[str, Any]:
        return {"tools": tools(runnable()), **(_FRESH if is_modern else {})}

    async def _call_tool(self, call: Call, is_modern: bool) -> dict[str, Any]:
        assert self.peer is not None
        params = converted(call.params, ToolParams)
        meta = converted(meta_of(call.params), RequestMeta)
        progress = ProgressNotifier(self.peer, meta.progress_token)
        if is_modern:
            return await self._go_on(params, progress, _has_forms(_capabilities(call)))
        exchange = AskingExchange(self.peer, progress, can_ask=self._can_ask)
        return await self._calls.call(params.name, params.arguments, exchange)

    async def _go_on(
        self, params: ToolParams, progress: ProgressNotifier, can_ask: bool
    ) -> dict[str, Any]:
        """Begin a call, or go on with one, until its result or its next question."""
        waiting = self._begin(params, can_ask) if params.request_state is None else None
        if params.request_state is not None:
            waiting = self._waiting.pop(params.request_state, None)
            if waiting is None or waiting.name != params.name:
                raise RequestError(
                    RequestError.INVALID, "requestState: no call waits under this name any more"
                )
            waiting.exchange.answer(params.input_responses)
        assert waiting is not None
        waiting.exchange.progress = progress.send
        asked = asyncio.create_task(waiting.exchange.asked.wait())
        try:
            await asyncio.wait({waiting.task, asked}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            waiting.task.cancel()
            await asyncio.wait([waiting.task])
            raise
        finally:
            asked.cancel()
        if waiting.task.done():
            return waiting.task.result()
        state = secrets.token_urlsafe(16)
        self._waiting[state] = waiting
        self._forget_oldest()
        return {
            "resultType": "input_required",
            "inputRequests": waiting.exchange.question,
            "requestState": state,
        }

    def _begin(self, params: ToolParams, can_ask: bool) -> _Waiting:
        exchange = AnsweringExchange(can_ask=can_ask)
        work = self._calls.call(params.name, params.arguments, exchange)
        task = asyncio.create_task(work)
        self._begun[task] = exchange
        task.add_done_callback(self._begun.pop)
        return _Waiting(task, exchange, params.name, params.arguments)

    def _forget_oldest(self) -> None:
        """End the call that has waited longest, if too many wait."""
        if len(self._waiting) > _MOST_WAITING:
            oldest = next(iter(self._waiting))
            self._waiting.pop(oldest).task.cancel()

    async def _list_resources(self, call: Call, is_modern: bool) -> dict[str, Any]:
        cursor = converted(call.params, CursorParams).cursor
        page = await self._methods.history_list(HistoryListParams(limit=_PAGE, cursor=cursor))
        return {
            "resources": [resources.resource(entry) for entry in page.conversations],
            **({"nextCursor": page.cursor} if page.cursor else {}),
            **(_FRESH if is_modern else {}),
        }

    async def _list_templates(self, call: Call, is_modern: bool) -> dict[str, Any]:
        return {"resourceTemplates": [resources.TEMPLATE], **(_FRESH if is_modern else {})}

    async def _read_resource(self, call: Call, is_modern: bool) -> dict[str, Any]:
        uri = converted(call.params, ReadParams).uri
        session = resources.session_of(uri)
        found = await self._methods.history_get(ConversationParams(conversation=session))
        text = resources.transcript(found.messages)
        contents = [{"uri": uri, "mimeType": "text/markdown", "text": text}]
        return {"contents": contents, **(_FRESH if is_modern else {})}


class UnsupportedVersionError(RequestError):
    """A request in a revision of the protocol that is not spoken here."""

    def __init__(self, version: str) -> None:
        super().__init__(
            UNSUPPORTED_VERSION, f"version {version} is not supported, but {MODERN} is"
        )
        self.details = {"supported": [MODERN], "requested": version}


def _capabilities(call: Call) -> Any:
    return meta_of(call.params).get(CAPABILITIES_KEY)


def _has_forms(capabilities: Any) -> bool:
    """Whether a host with these capabilities can show a form to the person."""
    asking = capabilities.get("elicitation") if isinstance(capabilities, Mapping) else None
    return isinstance(asking, Mapping) and (not asking or "form" in asking)


_FRESH = {"ttlMs": 0, "cacheScope": "private"}
"""What `MODERN` wants to know of a result: it must not be kept."""
