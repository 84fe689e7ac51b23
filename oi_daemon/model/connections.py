"""The openai library and its connections, loaded once and shared by all turns."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oi_daemon.errors import AuthError, ModelError
from oi_daemon.model.endpoint import NO_KEY, Endpoint
from oi_daemon.model.prices import OPENAI, context_window
from oi_daemon.model.stream import Event, EventReader

if TYPE_CHECKING:
    import httpx2
    import openai

CONNECT_TIMEOUT = 15.0
LIST_TIMEOUT = 5.0


class Connections:
    """Importing the library and making a client take most of a second: `preload` them."""

    def __init__(self) -> None:
        self._loading = threading.Lock()
        self._http: httpx2.AsyncClient | None = None
        self._clients: dict[tuple[str, str], openai.AsyncOpenAI] = {}

    async def preload(self) -> None:
        """Load everything heavy, in a thread; nothing if that is done."""
        if self._http is None:
            await asyncio.to_thread(self._load)

    async def stream(
        self, endpoint: Endpoint, payload: dict[str, Any], silence: float
    ) -> AsyncGenerator[list[Event], None]:
        """One request's events, in the batches in which they arrive.

        All of the payload goes as `extra_body`: the library looks into each value of its own
        parameters, which takes longer than all else that we do in a turn.

        Args:
            silence: seconds without a byte after which the server is given up.
        """
        import httpx2

        reader = EventReader()
        timeout = httpx2.Timeout(silence, connect=min(silence, CONNECT_TIMEOUT))
        request = self._client(endpoint).chat.completions.with_streaming_response.create(
            model=payload["model"], messages=[], stream=True, extra_body=payload, timeout=timeout
        )
        async with request as answer:
            async for data in answer.iter_bytes():
                yield reader.feed(data)
        yield reader.flush()

    async def offered(self, endpoint: Endpoint) -> list[str]:
        """The models that the server says it has; none if it does not say."""
        import openai

        try:
            models = await self._client(endpoint).models.list(timeout=LIST_TIMEOUT)
        except openai.OpenAIError:
            return []
        return [model.id for model in models.data]

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    def _load(self) -> None:
        """The library imports its parts at their first use: use them."""
        with self._loading:
            if self._http is None:
                context_window("gpt-4")
                self._http = _http_client()
                _ = self._client(_ANY).chat.completions.with_streaming_response

    def _client(self, endpoint: Endpoint) -> "openai.AsyncOpenAI":
        import openai

        where = (endpoint.api_base, endpoint.api_key)
        if where not in self._clients:
            self._clients[where] = openai.AsyncOpenAI(
                base_url=endpoint.api_base,
                api_key=endpoint.api_key,
                http_client=self._http,
                max_retries=0,
            )
        return self._clients[where]


def _http_client() -> "httpx2.AsyncClient":
    """One for all servers. What is on this machine is never asked through a proxy."""
    import httpx2
    import openai

    loopback = ("127.0.0.1", "localhost", "[::1]")
    trusted = httpx2.create_ssl_context()  # takes 50 ms
    direct = httpx2.AsyncHTTPTransport(verify=trusted)
    return openai.DefaultAsyncHttpxClient(
        verify=trusted, mounts={f"all://{host}": direct for host in loopback}
    )


def checked(endpoint: Endpoint) -> Endpoint:
    """The endpoint, if its URL and key can be sent.

    Raises:
        ModelError: they can't; the text names the setting, and never shows the key.
    """
    try:
        url = urlsplit(endpoint.api_base)
        sound = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise ModelError(
            f"The setting api_base is no URL of a server: {endpoint.api_base!r}."
            " It looks like http://127.0.0.1:8080/v1."
        )
    if not (endpoint.api_key.isascii() and endpoint.api_key.isprintable()):
        raise AuthError(
            "The key holds characters that no key has. Check OPENAI_API_KEY or the setting api_key."
        )
    return endpoint


_ANY = Endpoint(api_base=OPENAI, api_key=NO_KEY, model="")
