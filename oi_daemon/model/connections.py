"""The openai library and its connections, loaded once and shared by all turns."""

import asyncio
import threading
import urllib.request
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oi_daemon.errors import AuthError, ModelError
from oi_daemon.messages.text import without_controls
from oi_daemon.model.choosing import chat_models
from oi_daemon.model.context_window import stated_window, window_by_name
from oi_daemon.model.endpoint import NO_KEY, Endpoint, is_this_machine
from oi_daemon.model.limits import ServerLimitError
from oi_daemon.model.prices import OPENAI, TokenCounts, price

if TYPE_CHECKING:
    import ssl

    import httpx2
    import openai

CONNECT_TIMEOUT = 15.0
"""Seconds within which a connection must be made."""
LIST_TIMEOUT = 5.0
"""Seconds within which a server must list its models."""


class Connections:
    """Clients of the openai library, one for each server and key.

    Importing the library and creating a client takes most of a second: call `preload` early.
    """

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._certificates: ssl.SSLContext | None = None
        """The trusted certificates; None until everything is loaded."""
        self._http: dict[str | None, httpx2.AsyncClient] = {}
        """HTTP clients by the URL of the proxy that they use; None is without a proxy."""
        self._clients: dict[tuple[str, str], openai.AsyncOpenAI] = {}
        self._discarding: set[asyncio.Task[None]] = set()
        """Requests that delete responses, for which nobody waits."""

    async def preload(self) -> None:
        """Import and create everything slow in a thread; the second call returns at once."""
        if self._certificates is None:
            await asyncio.to_thread(self._load)

    async def stream(
        self, endpoint: Endpoint, path: str, payload: dict[str, Any], read_timeout: float
    ) -> AsyncGenerator[bytes, None]:
        """Send a request and yield its answer's bytes as they arrive.

        The whole payload is passed as `extra_body`, because the library inspects every value of
        its own parameters, which takes longer than everything else in a turn.

        Args:
            path: see `Backend.path`.
            read_timeout: seconds without a byte after which the request is given up.
        """
        client = self._client(endpoint)
        create = (
            client.responses.with_streaming_response.create
            if path == "/responses"
            else partial(client.chat.completions.with_streaming_response.create, messages=[])
        )
        request = create(
            model=payload["model"],
            stream=True,
            extra_body=payload,
            timeout=_timeout(read_timeout),
            **_extras(endpoint),
        )
        async with request as answer:
            async for data in answer.iter_bytes():
                yield data

    async def resume(
        self, endpoint: Endpoint, response_id: str, starting_after: int, read_timeout: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of a response that goes on in the background.

        Args:
            starting_after: number of the last event that was read.
        """
        request = self._client(endpoint).responses.with_streaming_response.retrieve(
            response_id,
            stream=True,
            starting_after=starting_after,
            timeout=_timeout(read_timeout),
            **_extras(endpoint),
        )
        async with request as answer:
            async for data in answer.iter_bytes():
                yield data

    def discard(self, endpoint: Endpoint, response_id: str, *, ended: bool) -> None:
        """Delete a response that was kept by the server, and stop it before if it has not ended.

        Does not wait for that, and does not fail.
        """
        task = asyncio.create_task(self._discard(endpoint, response_id, ended=ended))
        self._discarding.add(task)
        task.add_done_callback(self._discarding.discard)

    async def _discard(self, endpoint: Endpoint, response_id: str, *, ended: bool) -> None:
        import openai

        responses, extras = self._client(endpoint).responses, _extras(endpoint)
        with suppress(openai.OpenAIError, TimeoutError, ServerLimitError):
            async with asyncio.timeout(2 * LIST_TIMEOUT):
                if not ended:
                    await responses.cancel(response_id, timeout=LIST_TIMEOUT, **extras)
                await responses.delete(response_id, timeout=LIST_TIMEOUT, **extras)

    async def model_names(self, endpoint: Endpoint) -> list[str]:
        """Return the names of the server's models that can chat, the best ones first.

        None if it does not list them.
        """
        import openai

        try:
            async with asyncio.timeout(LIST_TIMEOUT):
                models = await self._client(endpoint).models.list(
                    timeout=LIST_TIMEOUT,
                    **_extras(endpoint),
                )
        except (openai.OpenAIError, TimeoutError, ServerLimitError):
            return []
        names = (str(model.id) for model in models.data)
        return chat_models(name for name in names if name == without_controls(name))

    async def listed_window(self, endpoint: Endpoint) -> int:
        """Return the tokens of the model's window by the server's list; 0 if it does not tell."""
        import openai

        try:
            async with asyncio.timeout(LIST_TIMEOUT):
                models = await self._client(endpoint).models.list(timeout=LIST_TIMEOUT)
        except (openai.OpenAIError, TimeoutError, ServerLimitError):
            return 0
        for model in models.data:
            if model.id == endpoint.model:
                return stated_window(model.model_extra or {})
        return 0

    async def close(self) -> None:
        """Close all connections, after the requests that nobody waits for."""
        await asyncio.gather(*self._discarding)
        for client in self._http.values():
            await client.aclose()

    def _load(self) -> None:
        """Load what the first request would load: tables, certificates and lazy imports."""
        import httpx2

        with self._loading:
            if self._certificates is None:
                window_by_name("gpt-4")
                price(TokenCounts(1, 1), "gpt-4", OPENAI)
                self._certificates = httpx2.create_ssl_context()  # takes 50 ms, so only once
                client = self._client(_ANY)
                _ = client.chat.completions.with_streaming_response
                _ = client.responses.with_streaming_response

    def _client(self, endpoint: Endpoint) -> "openai.AsyncOpenAI":
        import openai

        key = (endpoint.api_base, endpoint.api_key)
        if key not in self._clients:
            self._clients[key] = openai.AsyncOpenAI(
                base_url=endpoint.api_base,
                api_key=endpoint.api_key,
                http_client=self._http_client(proxy_for(endpoint.api_base)),
                max_retries=0,
            )
        return self._clients[key]

    def _http_client(self, proxy: str | None) -> "httpx2.AsyncClient":
        """Return the client for all servers that are reached by this proxy, or by none."""
        import httpx2
        import openai

        from oi_daemon.model.transport import BoundedTransport

        if proxy not in self._http:
            assert self._certificates is not None
            transport = httpx2.AsyncHTTPTransport(
                verify=self._certificates, proxy=proxy, limits=openai.DEFAULT_CONNECTION_LIMITS
            )
            self._http[proxy] = openai.DefaultAsyncHttpxClient(
                transport=BoundedTransport(transport),
                trust_env=False,  # because `proxy_for` reads the environment
                headers={"Accept-Encoding": "identity"},
            )
        return self._http[proxy]


def _timeout(read_timeout: float) -> "httpx2.Timeout":
    """Return the time limits of a request whose answer is read as it arrives."""
    import httpx2

    return httpx2.Timeout(read_timeout, connect=min(read_timeout, CONNECT_TIMEOUT))


def _extras(endpoint: Endpoint) -> dict[str, Any]:
    """Return the arguments of the library's methods that every request to this endpoint has."""
    return {"extra_headers": _headers(endpoint), "extra_query": dict(endpoint.query)}


def _headers(endpoint: Endpoint) -> dict[str, Any]:
    """Return the headers of a request to this endpoint that differ from the library's own."""
    import openai

    headers: dict[str, Any] = dict(endpoint.headers)
    if endpoint.key_header:
        headers |= {endpoint.key_header: endpoint.api_key, "Authorization": openai.Omit()}
    return headers


def proxy_for(api_base: str) -> str | None:
    """Return the proxy that the environment names for this server; None on this machine."""
    url = urlsplit(api_base)
    if is_this_machine(url.hostname or "") or urllib.request.proxy_bypass(url.netloc):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if proxy is None or "://" in proxy else f"http://{proxy}"


def validated(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint if its URL and its key can be used in a request.

    Raises:
        ModelError: they cannot; the text names the setting, and never shows the key.
    """
    try:
        url = urlsplit(endpoint.api_base)
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ModelError(
            f"The setting api_base is not the URL of a server: {endpoint.api_base!r}."
            " It looks like http://127.0.0.1:8080/v1."
        )
    if not (endpoint.api_key.isascii() and endpoint.api_key.isprintable()):
        raise AuthError(
            "The key contains characters that no key has. Check OPENAI_API_KEY or the setting"
            " api_key."
        )
    return endpoint


_ANY = Endpoint(api_base=OPENAI, api_key=NO_KEY, model="")
"""An endpoint that is never asked: a client for it is created to load the library."""
