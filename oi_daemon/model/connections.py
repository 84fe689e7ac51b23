"""The openai library and its connections, loaded once and shared by all turns."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oi_daemon.errors import AuthError, ModelError
from oi_daemon.model.context_window import window_by_name
from oi_daemon.model.endpoint import NO_KEY, Endpoint
from oi_daemon.model.prices import OPENAI

if TYPE_CHECKING:
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
        self._http: httpx2.AsyncClient | None = None
        self._clients: dict[tuple[str, str], openai.AsyncOpenAI] = {}

    async def preload(self) -> None:
        """Import and create everything slow in a thread; the second call returns at once."""
        if self._http is None:
            await asyncio.to_thread(self._load)

    async def stream(
        self, endpoint: Endpoint, payload: dict[str, Any], read_timeout: float
    ) -> AsyncGenerator[bytes, None]:
        """Send a request and yield its answer's bytes as they arrive.

        The whole payload is passed as `extra_body`, because the library inspects every value of
        its own parameters, which takes longer than everything else in a turn.

        Args:
            read_timeout: seconds without a byte after which the request is given up.
        """
        import httpx2

        timeout = httpx2.Timeout(read_timeout, connect=min(read_timeout, CONNECT_TIMEOUT))
        request = self._client(endpoint).chat.completions.with_streaming_response.create(
            model=payload["model"], messages=[], stream=True, extra_body=payload, timeout=timeout
        )
        async with request as answer:
            async for data in answer.iter_bytes():
                yield data

    async def model_names(self, endpoint: Endpoint) -> list[str]:
        """Return the names of the server's models; none if it does not list them."""
        import openai

        try:
            models = await self._client(endpoint).models.list(timeout=LIST_TIMEOUT)
        except openai.OpenAIError:
            return []
        return [model.id for model in models.data]

    async def close(self) -> None:
        """Close all connections."""
        if self._http is not None:
            await self._http.aclose()

    def _load(self) -> None:
        """Import what a request needs. The library imports its parts at first use: use them."""
        with self._loading:
            if self._http is None:
                window_by_name("gpt-4")
                self._http = _http_client()
                _ = self._client(_ANY).chat.completions.with_streaming_response

    def _client(self, endpoint: Endpoint) -> "openai.AsyncOpenAI":
        import openai

        key = (endpoint.api_base, endpoint.api_key)
        if key not in self._clients:
            self._clients[key] = openai.AsyncOpenAI(
                base_url=endpoint.api_base,
                api_key=endpoint.api_key,
                http_client=self._http,
                max_retries=0,
            )
        return self._clients[key]


def _http_client() -> "httpx2.AsyncClient":
    """Return one client for all servers. Servers on this machine are never asked by a proxy."""
    import httpx2
    import openai

    loopback = ("127.0.0.1", "localhost", "[::1]")
    certificates = httpx2.create_ssl_context()  # takes 50 ms, so it is created once
    direct = httpx2.AsyncHTTPTransport(verify=certificates)
    return openai.DefaultAsyncHttpxClient(
        verify=certificates, mounts={f"all://{host}": direct for host in loopback}
    )


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
