import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from oi_daemon.errors import ConnectionLostError, NoModelError
from oi_daemon.messages import NoticeChunk
from oi_daemon.model.access import ServerAccess
from oi_daemon.model.endpoint import NO_KEY, Endpoint
from oi_daemon.model.loading import locating
from oi_daemon.model.local.model_file import EMBEDDED
from oi_daemon.model.local.servers import LocalModels, find_local
from oi_daemon.settings import Settings

SERVING = Path(__file__).parents[1] / "fakes" / "serving"

Serve = Callable[..., Awaitable[int]]


class Requests:
    """What the servers of a test were asked, whole."""

    def __init__(self) -> None:
        self.heads: list[str] = []


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
async def serve(requests: Requests) -> AsyncIterator[Serve]:
    """Starts a server that has these models; gives its port. `raw` is answered as it is."""
    servers: list[asyncio.Server] = []

    async def start(*models: str, raw: bytes | None = None) -> int:
        listing = json.dumps({"object": "list", "data": [{"id": model} for model in models]})
        answer = b"HTTP/1.0 200 OK\r\n\r\n" + listing.encode() if raw is None else raw

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            requests.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(answer)
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


@pytest.fixture(autouse=True)
def _stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(SERVING)
    monkeypatch.setenv("PYTHONPATH", str(SERVING))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    path.write_text("serve", encoding="utf-8")
    return path


@pytest.fixture
async def local() -> AsyncIterator[LocalModels]:
    """With no server on any port."""
    local = LocalModels(ports=())
    yield local
    await local.close()


@pytest.fixture
def downloaded() -> Path:
    EMBEDDED.path.parent.mkdir(parents=True)
    EMBEDDED.path.write_text("serve", encoding="utf-8")
    return EMBEDDED.path


async def test_finds_the_server_that_has_the_model(serve: Serve) -> None:
    ports = [await serve("llama3.2:1b"), await serve("mistral", "qwen2.5-coder:7b")]
    server = await find_local("qwen2.5-coder:7b", ports)
    assert server is not None
    assert server.api_base == f"http://127.0.0.1:{ports[1]}/v1"
    assert server.models == ("mistral", "qwen2.5-coder:7b")


async def test_a_model_is_known_without_its_tag(serve: Serve) -> None:
    local = LocalModels(ports=[await serve("mistral:latest")])
    endpoint = await local.resolve(Settings(local=True, model="mistral"))
    assert endpoint is not None
    assert endpoint.model == "mistral:latest"


async def test_takes_the_first_model_that_can_chat_where_none_is_named(serve: Serve) -> None:
    port = await serve("nomic-embed-text", "mistral")
    endpoint = await LocalModels(ports=[port]).resolve(Settings(local=True))
    assert endpoint == Endpoint(
        api_base=f"http://127.0.0.1:{port}/v1", api_key="local", model="mistral"
    )


async def test_a_model_that_no_server_has_is_answered_by_what_they_have(serve: Serve) -> None:
    local = LocalModels(ports=[await serve("mistral"), await serve("llama3.2")])
    with pytest.raises(NoModelError, match=r"model phi4\. They have: mistral, llama3\.2"):
        await local.resolve(Settings(local=True, model="phi4"))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff garbage",
        b"HTTP/1.0 404 Not Found\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n<html>another program</html>",
        b'HTTP/1.0 200 OK\r\n\r\n["data"]',
        b'HTTP/1.0 200 OK\r\n\r\n{"data": [1]}',
    ],
)
async def test_other_programs_on_these_ports_are_passed_over(serve: Serve, raw: bytes) -> None:
    ports = [await serve(raw=raw), await serve("mistral")]
    server = await find_local(None, ports)
    assert server is not None
    assert server.models == ("mistral",)


async def test_lists_the_servers_with_a_model_that_can_chat(serve: Serve) -> None:
    ports = [await serve("nomic-embed-text", "llama3:latest"), await serve("embed-only")]
    (found,) = await LocalModels(ports).servers()
    assert (found.api_base, found.chatting) == (
        f"http://127.0.0.1:{ports[0]}/v1",
        ["llama3:latest"],
    )


async def test_the_key_is_never_told_to_what_listens_there(
    serve: Serve, requests: Requests
) -> None:
    local = LocalModels(ports=[await serve("mistral")])
    endpoint = await local.resolve(Settings(local=True, api_key="sk-secret"))
    assert endpoint is not None
    assert endpoint.api_key == "local"
    assert "sk-secret" not in "".join(requests.heads)


async def test_a_hosted_model_is_not_looked_for_here(local: LocalModels) -> None:
    assert await local.resolve(Settings()) is None
    assert await local.resolve(Settings(api_base="http://x/v1", model="x.gguf")) is None


async def test_local_with_api_base_is_that_server(serve: Serve, local: LocalModels) -> None:
    base = f"http://127.0.0.1:{await serve('mistral')}/v1"
    named = await local.resolve(Settings(local=True, api_base=base, api_key="k", model="phi4"))
    assert named == Endpoint(api_base=base, api_key="k", model="phi4")
    unnamed = await local.resolve(Settings(local=True, api_base=base))
    assert unnamed == Endpoint(api_base=base, api_key="local", model="mistral")


async def test_nothing_there_is_answered_by_the_ways_on(local: LocalModels) -> None:
    with pytest.raises(NoModelError) as failed:
        await local.resolve(Settings(local=True))
    for way in ("Ollama", "LM Studio", "--model path/to/model.gguf", "--download-model"):
        assert way in str(failed.value)
    with pytest.raises(NoModelError, match="phi4 was not found"):
        await local.resolve(Settings(local=True, model="phi4"))


async def test_a_model_file_is_embedded(local: LocalModels, file: Path) -> None:
    endpoint = await local.resolve(Settings(model="tiny.gguf", cwd=str(file.parent)))
    assert endpoint is not None
    assert endpoint.is_small
    assert "grammar" in endpoint.extra_body
    assert endpoint.context_window == 8192
    assert endpoint.api_key not in repr(endpoint)


async def test_a_file_has_one_server_however_many_use_it(local: LocalModels, file: Path) -> None:
    settings = Settings(model=str(file))
    first, second = await asyncio.gather(local.resolve(settings), local.resolve(settings))
    assert first == second


async def test_loading_a_model_file_is_announced_once(local: LocalModels, file: Path) -> None:
    access = ServerAccess(local)
    settings = Settings(model=str(file))
    announced = NoticeChunk("loading", "Loading the model tiny.")
    for notice in (announced, None):
        async with locating(partial(access.endpoint, settings)) as location:
            assert await location.notice() == notice
            assert (await location.endpoint()).model == "tiny"
    await access.close()


async def test_leaving_the_search_ends_the_loading(local: LocalModels, file: Path) -> None:
    find = partial(ServerAccess(local).endpoint, Settings(model=str(file)))
    async with locating(find) as location:
        assert await location.notice()
    endpoint = asyncio.create_task(location.endpoint())
    with pytest.raises(asyncio.CancelledError):
        await endpoint


async def test_what_was_downloaded_is_embedded(local: LocalModels, downloaded: Path) -> None:
    endpoint = await local.resolve(Settings(local=True))
    assert endpoint is not None
    assert endpoint.model == downloaded.stem


async def test_a_running_server_goes_before_the_download(serve: Serve, downloaded: Path) -> None:
    endpoint = await LocalModels(ports=[await serve("mistral")]).resolve(Settings(local=True))
    assert endpoint is not None
    assert endpoint.model == "mistral"


async def test_says_why_an_embedded_model_is_out_of_reach(local: LocalModels, file: Path) -> None:
    endpoint = await local.resolve(Settings(model=str(file)))
    assert endpoint is not None
    assert await local.failure(Endpoint(api_base="http://x/v1", api_key="k", model="m")) is None
    await _crash(endpoint)
    assert isinstance(await local.failure(endpoint), ConnectionLostError)
    assert await local.resolve(Settings(model=str(file))) != endpoint
    assert await local.failure(endpoint) is None


async def _crash(endpoint: Endpoint) -> None:
    """Ask the stand-in to die, and wait for the end of the connection."""
    port = int(endpoint.api_base.removesuffix("/v1").rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /v1/crash HTTP/1.0\r\n\r\n")
    assert await reader.read() == b""
    writer.close()


def test_the_word_that_stands_for_no_key_is_no_secret() -> None:
    keys = (NO_KEY, "my-own-key")
    assert [Endpoint(api_base="", api_key=key, model="").secret for key in keys] == [None, keys[1]]


async def test_a_model_on_this_machine_is_not_looked_for_at_a_hosted_base(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`OPENAI_BASE_URL` is there for other programs too."""
    port = await serve("llama3")
    hosted = "https://example.com/v1"
    monkeypatch.setenv("OPENAI_BASE_URL", hosted)
    models = LocalModels([port])
    settings = Settings(local=True, api_base=hosted)
    found = await models.resolve(settings)
    assert found is not None
    assert found.api_base == f"http://127.0.0.1:{port}/v1"
    missing = Settings(model="/nowhere/model.gguf", api_base=hosted)
    with pytest.raises(NoModelError):
        await models.resolve(missing)
