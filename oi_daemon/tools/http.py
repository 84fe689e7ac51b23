"""A server that runs elsewhere, and speaks streamable HTTP: each message is posted to its URL."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from oi_daemon.messages.text import without_controls
from oi_daemon.model.events import EventReader, UnreadableAnswerError
from oi_daemon.model.limits import ServerLimitError
from oi_daemon.settings.mcp_servers import McpServer
from oi_daemon.tools.transport import MAX_MESSAGE, MessageReceiver

if TYPE_CHECKING:
    import httpx2

logger = logging.getLogger(__name__)

_SESSION = "Mcp-Session-Id"
_VERSION = "MCP-Protocol-Version"
_CONNECT_WITHIN = 15.0
"""Seconds within which a connection must be made."""
_GONE = 404
"""Status for a session that the server does not know any more."""
_QUOTED = 300
"""Characters of an answer that an error quotes."""


class HttpTransport:
    """One session with a server. See `Transport`."""

    def __init__(
        self, server: McpServer, client: "httpx2.AsyncClient", receiver: MessageReceiver
    ) -> None:
        assert server.url is not None
        self._url = server.url
        self._receiver = receiver
        self._client = client
        self._headers = {
            **server.headers,
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
        }
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def start(cls, server: McpServer, receiver: MessageReceiver) -> "HttpTransport":
        """Make the transport. The first message connects."""
        client = await asyncio.to_thread(_client)  # the import and the certificates take long
        return cls(server, client, receiver)

    def send(self, message: bytes, failed: Callable[[str], None]) -> None:
        """See `Transport`."""
        task = asyncio.create_task(self._post(message, failed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def on_initialized(self, version: str) -> None:
        """See `Transport`."""
        self._headers[_VERSION] = version

    async def close(self) -> None:
        """See `Transport`."""
        for task in self._tasks:
            task.cancel()
        if _SESSION in self._headers:
            try:
                await asyncio.wait_for(
                    self._client.delete(self._url, headers=self._headers), timeout=1.0
                )
            except Exception as error:
                logger.debug("an MCP session was not ended: %r", error)
        await self._client.aclose()

    async def _post(self, message: bytes, failed: Callable[[str], None]) -> None:
        """Post a message, and report what the server answers."""
        import httpx2

        try:
            await self._exchange(message, failed)
        except (httpx2.HTTPError, UnreadableAnswerError, ServerLimitError) as error:
            failed(f"cannot be reached: {without_controls(str(error)) or type(error).__name__}")

    async def _exchange(self, message: bytes, failed: Callable[[str], None]) -> None:
        request = self._client.stream("POST", self._url, content=message, headers=self._headers)
        async with request as response:
            if response.status_code >= 400:
                text = (await _beginning(response)).strip()
                if response.status_code == _GONE and _SESSION in self._headers:
                    self._receiver.on_end("has ended the session")
                failed(f"answers HTTP {response.status_code}{text and f': {text}'}")
                return
            if session := response.headers.get(_SESSION):
                self._headers[_SESSION] = session
            events = EventReader(MAX_MESSAGE)
            is_stream = response.headers.get("content-type", "").startswith("text/event-stream")
            whole = bytearray()
            async for data in response.aiter_bytes():
                if is_stream:
                    self._report(events.feed(data))
                else:
                    whole += data
                    if len(whole) > MAX_MESSAGE:
                        self._receiver.on_oversized()
                        return
            self._report(events.finish() if is_stream else [bytes(whole)])
        failed("has ended its answer too early")  # nobody waits if the answer has come

    def _report(self, messages: list[bytes]) -> None:
        for message in messages:
            if message.strip():
                self._receiver.on_message(message)


def _client() -> "httpx2.AsyncClient":
    import httpx2

    timeout = httpx2.Timeout(None, connect=_CONNECT_WITHIN)
    return httpx2.AsyncClient(timeout=timeout, follow_redirects=False)


async def _beginning(response: "httpx2.Response") -> str:
    """The beginning of an error's body, or the message of the JSON-RPC error that it holds."""
    data = bytearray()
    async for piece in response.aiter_bytes():
        data += piece
        if len(data) > MAX_MESSAGE:
            break
    text = data.decode("utf-8", "replace")
    try:
        text = str(json.loads(text)["error"]["message"])
    except (ValueError, LookupError, TypeError):
        pass
    return without_controls(text[:_QUOTED])
