"""Requests to one server, and their answers.

The MCP library of PyPI is not used, because its import takes half a second of processor time;
tests hold these messages to that library's.
"""

import asyncio
import logging
from collections.abc import Mapping
from itertools import count
from typing import Any, TypeVar

import msgspec

from oi_daemon import __version__
from oi_daemon.errors import OIError, RequestError
from oi_daemon.logs import redact
from oi_daemon.messages.text import without_controls
from oi_daemon.protocol.jsonrpc import answer, failure, id_of
from oi_daemon.tools.shapes import VERSION, VERSIONS, InitializeResult
from oi_daemon.tools.transport import MAX_MESSAGE, ServerGoneError, Transport

logger = logging.getLogger(__name__)

_LONGEST_ERROR = 2000
"""Characters of a server's error that are told."""

T = TypeVar("T")


class McpConnection:
    """One connection to a server. Implements `MessageReceiver`."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        """Requests that are not answered yet, by their ids."""
        self._transport: Transport | None = None
        self.ended: str | None = None
        """How the connection has ended, as the end of a sentence; None while it has not."""
        self.tools_changed = False
        """Whether the server has other tools since they were listed."""

    async def initialize(self, transport: Transport) -> InitializeResult:
        """Begin to use this transport.

        Raises:
            OIError: the server speaks no version that is known here.
            ServerGoneError: it does not answer.
        """
        self._transport = transport
        params = {
            "protocolVersion": VERSION,
            "capabilities": {},
            "clientInfo": {"name": "oi-daemon", "version": __version__},
        }
        result = await self.request("initialize", params, InitializeResult)
        if result.protocol_version not in VERSIONS:
            version = without_controls(result.protocol_version)
            raise OIError(f"speaks version {version} of the protocol, which is not known here")
        transport.on_initialized(result.protocol_version)
        self._send({"method": "notifications/initialized"}, _ignore)
        return result

    async def request(self, method: str, params: Mapping[str, Any], shape: type[T]) -> T:
        """Ask the server. If this is cancelled, the server is told.

        Raises:
            OIError: it answers with an error, or not in this shape; the text is the end of a
                sentence.
            ServerGoneError: no answer can come.
        """
        if self.ended is not None:
            raise ServerGoneError(self.ended)
        number = next(self._ids)
        future = self._asked[number] = asyncio.get_running_loop().create_future()

        def failed(reason: str) -> None:
            if not future.done():
                future.set_exception(ServerGoneError(reason))

        self._send({"id": number, "method": method, "params": params}, failed)
        try:
            return msgspec.convert(await future, shape)
        except msgspec.ValidationError as error:
            raise OIError(f"gives an answer that does not fit: {error}") from error
        except asyncio.CancelledError:
            cancelled = {"requestId": number, "reason": "interrupted"}
            if method != "initialize":
                self._send({"method": "notifications/cancelled", "params": cancelled}, _ignore)
            raise
        finally:
            del self._asked[number]

    async def close(self) -> None:
        """End the connection, and the server if it was started here."""
        self.on_end("was ended")
        if self._transport is not None:
            await self._transport.close()

    def on_message(self, data: bytes) -> None:
        """See `MessageReceiver`. What is no message is ignored."""
        try:
            message = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError):
            logger.debug("an MCP server sent what is not JSON: %.200r", data)
            return
        if not isinstance(message, dict):
            return
        if "method" in message:
            self._on_call(message)
        elif (future := self._asked.get(message.get("id", 0))) is not None and not future.done():
            if "error" in message:
                future.set_exception(OIError(f"answers: {_text(message['error'])}"))
            else:
                future.set_result(message.get("result"))

    def on_oversized(self) -> None:
        """See `MessageReceiver`. It is not known whose answer it was, so all requests fail."""
        words = f"gives an answer of more than {MAX_MESSAGE >> 20} MB, which is too large"
        for future in self._asked.values():
            if not future.done():
                future.set_exception(OIError(words))

    def on_end(self, reason: str) -> None:
        """See `MessageReceiver`."""
        self.ended = self.ended or reason
        for future in self._asked.values():
            if not future.done():
                future.set_exception(ServerGoneError(self.ended))

    def _on_call(self, message: Mapping[str, Any]) -> None:
        """Answer a request of the server, of which only `ping` is known; or take note."""
        method, request_id = message["method"], id_of(message)
        if request_id is not None and method == "ping":
            self._send(answer(request_id, {}), _ignore)
        elif request_id is not None:
            refused = RequestError(RequestError.NO_METHOD, "not supported by this client")
            self._send(failure(request_id, refused, str(refused)), _ignore)
        elif method == "notifications/tools/list_changed":
            self.tools_changed = True

    def _send(self, message: Mapping[str, Any], failed: Any) -> None:
        if self._transport is not None and self.ended is None:
            data = msgspec.json.encode({"jsonrpc": "2.0", **message})
            self._transport.send(data, failed)


def _ignore(reason: str) -> None:
    logger.debug("a message to an MCP server was lost: it %s", reason)


def _text(error: object) -> str:
    """The words of a JSON-RPC error."""
    words = error.get("message") if isinstance(error, Mapping) else error
    return redact(without_controls(str(words)))[:_LONGEST_ERROR]
