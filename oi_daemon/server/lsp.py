"""The language server's methods, by pygls: lifecycle, registry and types of the LSP.

Imported when the first LSP message comes, so that a script that sends only `oi/*` does not wait for
it. It reads and writes nothing: the session passes it the messages, and sends its results.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any, cast

from cattrs import Converter, transform_error
from cattrs.errors import BaseValidationError
from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, default_converter, lsp_method

from oi_daemon import __version__
from oi_daemon.errors import InvalidError, RequestError
from oi_daemon.protocol.methods import VERSION
from oi_daemon.server.handshake import workspace_folder

if TYPE_CHECKING:
    from concurrent.futures import Future

_FEATURES = {types.INITIALIZE, types.INITIALIZED, types.SHUTDOWN, types.EXIT, types.SET_TRACE}
"""The messages that pygls handles here. Those about documents are left out."""

_USED_OF_INITIALIZE = ("processId", "initializationOptions")
"""Fields of `initialize` that are passed on to pygls. It would refuse a request whose other fields
hold values of a newer protocol. Those about the workspace's folders are read here instead."""


class _Server(LanguageServer):
    """The server object that pygls needs. It creates the `Lifecycle`."""

    def __init__(self, languages: Callable[[], list[str]]) -> None:
        self.languages = languages
        super().__init__(
            "oi-daemon",
            __version__,
            text_document_sync_kind=types.TextDocumentSyncKind.None_,
            protocol_cls=Lifecycle,
            converter_factory=default_converter,
        )


class Lifecycle(LanguageServerProtocol):
    """pygls' protocol from `initialize` to `exit`, without its own input and output."""

    def __init__(self, server: _Server, converter: Converter) -> None:
        super().__init__(server, converter)
        self._languages = server.languages
        self.is_initialized = False
        """True once `initialize` was answered."""
        self.folder: str | None = None
        """The client's first workspace folder that exists here; known once it has initialized."""
        self.exit_code: int | None = None
        """The exit code; None until the client has sent `exit`."""
        for name in self.fm.builtin_features.keys() - _FEATURES:
            del self.fm.builtin_features[name]

    @property
    def is_shut_down(self) -> bool:
        """True once the client has sent `shutdown`."""
        return self._shutdown

    @property
    def process_id(self) -> int | None:
        """Id of the client's process, as it came with `initialize`."""
        return self._server.process_id

    async def request(self, method: str, params: Any, request_id: str | int) -> Any:
        """The result of a request.

        Raises:
            OIError: the request is not allowed now, or it fails.
        """
        self._refuse_out_of_turn(method)
        self._ctx_msg_id.set(request_id)  # shutdown cancels all others
        result = await self._run(method, params, request_id)
        self.is_initialized = True  # before that, only initialize gets here
        return self._converter.unstructure(result)

    async def notification(self, method: str, params: Any) -> None:
        """Handle a notification. Before `initialize`, all but `exit` are dropped, as in the LSP."""
        known = method in self.fm.builtin_features
        if method == types.EXIT or (known and self.is_initialized and not self._shutdown):
            await self._run(method, params, "")

    def _refuse_out_of_turn(self, method: str) -> None:
        if method == types.INITIALIZE and self.is_initialized:
            raise RequestError(RequestError.INVALID, "initialize: was sent before")
        if method != types.INITIALIZE and not self.is_initialized and _is_lsp(method):
            raise RequestError(RequestError.NOT_INITIALIZED, f"{method}: send initialize first")
        if method not in self.fm.builtin_features:
            raise RequestError(RequestError.NO_METHOD, f"{method}: there is no such method")

    async def _run(self, method: str, params: Any, request_id: str | int) -> Any:
        done: asyncio.Future[Future[Any]] = asyncio.get_running_loop().create_future()
        self._execute_handler(
            request_id,
            self.fm.builtin_features[method],
            callback=done.set_result,
            args=(self._structure(method, params),),
        )
        finished = await done
        self._request_futures.pop(request_id, None)
        return finished.result()

    def _structure(self, method: str, params: Any) -> Any:
        type_of_params: Any = types.METHOD_TO_TYPES[method][2]
        if type_of_params is None:
            return None
        if method == types.INITIALIZE:
            given = params if isinstance(params, dict) else {}
            self.folder = workspace_folder(given)
            params = {key: given[key] for key in _USED_OF_INITIALIZE if key in given}
            params["capabilities"] = {}
        try:
            return self._converter.structure(params, type_of_params)
        except BaseValidationError as error:
            raise InvalidError(_explain(error)) from None

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        result: types.InitializeResult = yield from super().lsp_initialize(params)
        oi = {"protocol": VERSION, "languages": self._languages()}
        result.capabilities.experimental = {"oi": oi}
        result.capabilities.workspace = result.capabilities.execute_command_provider = None
        return result

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> None:  # type: ignore[override]
        self.exit_code = 0 if self._shutdown else 1


def lifecycle(
    start: Callable[[dict[str, Any] | None, str | None], Awaitable[None]],
    languages: Callable[[], list[str]],
) -> Lifecycle:
    """A language server.

    Args:
        start: called with the client's settings and its workspace folder when it initializes.
    """
    server = _Server(languages)
    protocol = cast("Lifecycle", server.protocol)

    @server.feature(types.INITIALIZE)
    async def initialize(params: types.InitializeParams) -> None:
        options = params.initialization_options
        settings = options.get("settings") if isinstance(options, dict) else None
        if settings is not None and not isinstance(settings, dict):
            raise InvalidError("initializationOptions.settings: expected an object")
        await start(settings, protocol.folder)

    return protocol


def _is_lsp(method: str) -> bool:
    return method in types.METHOD_TO_TYPES


def _explain(error: BaseValidationError) -> str:
    """cattrs' message, such as "invalid value for type @ $.process_id", with the field first."""
    what, _, where = transform_error(error)[0].partition(" @ $.")
    field = re.sub(r"_([a-z])", lambda letter: letter[1].upper(), where)
    return f"{field}: {what.partition(' for type')[0]}"
