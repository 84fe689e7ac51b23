"""The openai library and its connections, loaded once and shared by all turns."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from oi_daemon.errors import AuthError, ModelError
from oi_daemon.model.local import Endpoint
from oi_daemon.model.prices import context_window
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
        self._loaded = False
        self._clients: dict[tuple[str, str], openai.AsyncOpenAI] = {}

    async def preload(self) -> None:
        """Load everything heavy, in a thread; nothing if that is done."""
        if not self._loaded:
            await asyncio.to_thread(self._load)

    async def stream(
        self, endpoint: Endpoint, payload: dict[str, Any], timeout: float
    ) -> AsyncGenerator[list[Event], None]:
        """One request's events, in the batches in which they arrive.

        Args:
            timeout: seconds without a byte after which the server is given up.
        """
        reader = EventReader()
        completions = self._client(endpoint).chat.completions
        async with completions.with_streaming_response.create(**payload, timeout=timeout) as answer:
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
        if self._loaded:
            await self._http.aclose()

    def _load(self) -> None:
        with self._loading:
            if not self._loaded:
                context_window("gpt-4")
                _ = self._http
                self._loaded = True

    @cached_property
    def _http(self) -> "httpx2.AsyncClient":
        import openai

        return openai.DefaultAsyncHttpxClient()

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
