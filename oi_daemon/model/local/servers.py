"""Finds the server for a model on this machine.

A model file (.gguf) is served by a child process. Otherwise a local server is looked for on the
usual ports; if there is none, the downloaded model is served by a child process.
"""

import asyncio
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import structs

from oi_daemon.errors import ConnectionLostError, NoModelError
from oi_daemon.messages.text import without_controls
from oi_daemon.model.choosing import is_chat_model
from oi_daemon.model.context_window import EMBEDDED_WINDOW
from oi_daemon.model.endpoint import NO_KEY, Endpoint, configured_endpoint, server_url
from oi_daemon.model.limits import MAX_BODY_BYTES
from oi_daemon.model.local.embedded import EmbeddedServer, OnLoad
from oi_daemon.model.local.model_file import model_is_downloaded
from oi_daemon.settings import Settings

USUAL_PORTS = (11434, 1234, 8080, 8000)
"""Ports of Ollama, LM Studio, llama.cpp's server and vLLM."""

PROBE_TIMEOUT = 2.0
"""Seconds within which a local server must list its models."""
PROBE_CONNECT_TIMEOUT = 0.3
"""Seconds within which a local server must accept a connection."""

_NOWHERE = """\
There is no model on this machine yet. One of these ways leads to one:
- start Ollama, LM Studio, llama.cpp's server or vLLM, with a model loaded
- name a model file: interpreter --local --model path/to/model.gguf
- download a small one (1.1 GB): oi-daemon --download-model"""


@dataclass(frozen=True, kw_only=True)
class LocalServer:
    """A server that was found on this machine, and the names of its models."""

    api_base: str
    models: tuple[str, ...]

    @property
    def chatting(self) -> list[str]:
        """Names of its models that can chat."""
        return [name for name in self.models if is_chat_model(name)]

    def match(self, model: str | None) -> str | None:
        """Return the server's name for this model, or None if it does not have it.

        For None, return its first model that can chat.
        """
        if model is None:
            return next(iter(self.chatting), None)
        return next((name for name in self.models if name in (model, f"{model}:latest")), None)


class LocalModels:
    """Owns the embedded servers, one for each model file, and finds all other local servers."""

    def __init__(self, ports: Iterable[int] = USUAL_PORTS) -> None:
        """
        Args:
            ports: where other servers are looked for.
        """
        self._ports = tuple(ports)
        self._embedded: dict[Path, EmbeddedServer] = {}

    async def resolve(self, settings: Settings, on_load: OnLoad | None = None) -> Endpoint | None:
        """Return the endpoint on this machine, ready to answer; None if a hosted model is meant.

        Args:
            on_load: see `EmbeddedServer.start`.

        Raises:
            NoModelError: the model is not there; the text lists what the person can do.
            ConnectionLostError: the embedded model did not start.
        """
        is_file = settings.model.endswith(".gguf")
        if (settings.local or is_file) and settings.api_base in _hosted_bases():
            settings = structs.replace(settings, api_base=None)
        if settings.api_base is not None:
            return await self._at_base(settings, settings.api_base) if settings.local else None
        if is_file:
            return await self._embed(_file(settings), on_load)
        return await self._find(_named(settings), on_load) if settings.local else None

    async def servers(self) -> list[LocalServer]:
        """Return the servers on this machine that have a model that can chat."""
        return [server for server in await _servers(self._ports) if server.chatting]

    async def failure(self, endpoint: Endpoint) -> ConnectionLostError | None:
        """Return the error for a person if this is an embedded model that died; else None."""
        for server in self._embedded.values():
            if server.api_key == endpoint.api_key:
                return await server.failure()
        return None

    async def close(self) -> None:
        """End all embedded servers."""
        await asyncio.gather(*(server.close() for server in self._embedded.values()))

    async def _at_base(self, settings: Settings, api_base: str) -> Endpoint:
        """Return the endpoint at the URL that the user has set.

        If they have not chosen a model, it is the server's first one.
        """
        model: str | None = settings.model
        if _named(settings) is None and (server := await _probe(server_url(api_base).base)):
            model = server.match(None)
        return configured_endpoint(settings, api_base, model or settings.model)

    async def _find(self, model: str | None, on_load: OnLoad | None) -> Endpoint:
        """Return a server that has this model; for None, any server, or the downloaded model.

        Raises:
            NoModelError: there is none.
        """
        server = await find_local(model, self._ports)
        if server is not None and (name := server.match(model)):
            return Endpoint(api_base=server.api_base, api_key=NO_KEY, model=name)
        if model is None and (path := model_is_downloaded()):
            return await self._embed(path, on_load)
        raise NoModelError(_NOWHERE if model is None else f"{model} was not found. {_NOWHERE}")

    async def _embed(self, path: Path, on_load: OnLoad | None) -> Endpoint:
        """Return the endpoint of a model file, whose child process is started if necessary."""
        server = self._embedded.setdefault(path, EmbeddedServer(path))
        await server.start(on_load)
        return Endpoint(
            api_base=server.api_base,
            api_key=server.api_key,
            model=server.model,
            is_small=True,
            extra_body=server.extra_body,
            context_window=EMBEDDED_WINDOW,
        )


async def find_local(model: str | None, ports: Iterable[int] = USUAL_PORTS) -> LocalServer | None:
    """Return the first server on these ports that has the model; for None, any model.

    None if there is no server with a model at all.

    Raises:
        NoModelError: there are servers, but none has this model; the text lists what they have.
    """
    servers = await _servers(ports)
    for server in servers:
        if server.match(model):
            return server
    names = [name for server in servers for name in server.models]
    if model is None or not names:
        return None
    error = NoModelError(
        f"No server on this machine has the model {model}. They have: {', '.join(names)}."
        " Choose one with the setting model (interpreter --local --model NAME)."
    )
    error.models = names
    raise error


async def _servers(ports: Iterable[int]) -> list[LocalServer]:
    """Return the model servers that answer on these ports."""
    probes = [_probe(f"http://127.0.0.1:{port}/v1") for port in ports]
    return [server for server in await asyncio.gather(*probes) if server is not None]


def _file(settings: Settings) -> Path:
    """Return the model file's path. A relative one starts in the folder of the conversation."""
    return Path(settings.cwd or ".", Path(settings.model).expanduser()).resolve()


def _hosted_bases() -> set[str | None]:
    """Return the base URLs that the environment names for hosted models.

    A model on this machine is not looked for there, because other programs need them too.
    """
    return {os.environ.get(name) for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE")} - {None}


def _named(settings: Settings) -> str | None:
    """Return the model that the user chose; None for the default one, which is hosted."""
    return None if settings.model == Settings().model else settings.model


async def _probe(api_base: str) -> LocalServer | None:
    """Return the server at this URL; None if it does not list models within two seconds.

    A proxy is never used.
    """
    try:
        async with asyncio.timeout(PROBE_TIMEOUT):
            models = json.loads(await _get(f"{api_base}/models"))["data"]
        names = [str(model["id"]) for model in models]
        usable = tuple(name for name in names if name == without_controls(name))
        return LocalServer(api_base=api_base, models=usable)
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        RecursionError,
    ):  # no server, or one of another kind
        return None


async def _get(url: str) -> bytes:
    """Return the body of an HTTP answer.

    Not by a library, because loading one takes longer than the whole request.
    """
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname is None:
        raise ValueError(url)
    async with asyncio.timeout(PROBE_CONNECT_TIMEOUT):
        reader, writer = await asyncio.open_connection(address.hostname, address.port or 80)
    try:
        writer.write(f"GET {address.path} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n".encode())
        answer = await _read_at_most(reader, MAX_BODY_BYTES)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    if head.split(maxsplit=2)[1:2] != [b"200"]:
        raise ValueError(head)
    return body


async def _read_at_most(reader: asyncio.StreamReader, limit: int) -> bytes:
    """Return all that comes.

    Raises:
        ValueError: it is more than `limit` bytes.
    """
    pieces: list[bytes] = []
    size = 0
    while data := await reader.read(1 << 16):
        pieces.append(data)
        size += len(data)
        if size > limit:
            raise ValueError("too long")
    return b"".join(pieces)
