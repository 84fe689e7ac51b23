"""A response in the background: it survives lost connections, and is stopped and deleted."""

from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from oi_daemon.model.background import stream_in_background
from oi_daemon.model.connections import Connections
from oi_daemon.model.endpoint import Endpoint
from oi_daemon.model.events import BrokenOffError
from oi_daemon.model.models import Models
from tests.fakes.openai_server import Reply, ScriptedServer, error
from tests.fakes.responses import as_reply, custom_call, events

PAYLOAD = {"model": "gpt-5-pro", "input": "Go", "stream": True, "background": True}
DONE = Reply(body=b'{"id": "resp_1", "object": "response", "deleted": true}')
STREAM = events(custom_call("python", "1", "2", "3"))


@pytest.fixture
async def connections(warm: Models) -> AsyncIterator[Connections]:
    made = Connections()
    await made.preload()
    yield made
    await made.close()


async def read(connections: Connections, server: ScriptedServer) -> list[bytes]:
    """All events of a response, without the lines between them."""
    endpoint = Endpoint(api_base=server.url, api_key="k", model="gpt-5-pro")
    stream = stream_in_background(connections, endpoint, PAYLOAD, 5, delays=(0, 0))
    async with aclosing(stream):
        return [line async for line in stream if line.startswith(b"data:")]


def data_of(stream: list[bytes]) -> list[bytes]:
    return [line + b"\n" for each in stream for line in each.split(b"\n") if b"data:" in line]


async def test_a_lost_connection_goes_on_after_the_last_event(connections: Connections) -> None:
    cut = STREAM[5][: len(STREAM[5]) // 2]
    first = as_reply([*STREAM[:5], cut]).but(drop_after=6)
    async with ScriptedServer(first, as_reply(STREAM[5:]), DONE) as server:
        assert await read(connections, server) == data_of(STREAM)
        await connections.close()
    paths = [request.path for request in server.requests]
    assert paths == [
        "/v1/responses",
        "/v1/responses/resp_1?starting_after=4&stream=true",
        "/v1/responses/resp_1",
    ]


async def test_events_that_come_again_are_passed_over(connections: Connections) -> None:
    first = as_reply(STREAM[:5]).but(drop_after=5)
    async with ScriptedServer(first, as_reply(STREAM), DONE) as server:
        assert await read(connections, server) == data_of(STREAM)


async def test_a_stream_that_is_closed_stops_the_response(connections: Connections) -> None:
    held = as_reply(STREAM).but(hold_after=4)
    async with ScriptedServer(held, DONE, DONE) as server:
        endpoint = Endpoint(api_base=server.url, api_key="k", model="gpt-5-pro")
        stream = stream_in_background(connections, endpoint, PAYLOAD, 5)
        async with aclosing(stream):
            while not (await anext(stream)).startswith(b"data:"):
                pass
        await connections.close()
    paths = [request.path for request in server.requests]
    assert paths[1:] == ["/v1/responses/resp_1/cancel", "/v1/responses/resp_1"]


async def test_a_response_that_is_gone_is_a_lost_connection(connections: Connections) -> None:
    first = as_reply(STREAM[:5]).but(drop_after=5)
    async with ScriptedServer(first, error(404, "No such response.")) as server:
        with pytest.raises(BrokenOffError, match="gone"):
            await read(connections, server)


async def test_attempts_are_limited(connections: Connections) -> None:
    first = as_reply(STREAM[:5]).but(drop_after=5)
    nothing = as_reply([b": hm\n\n"]).but(drop_after=1)
    async with ScriptedServer(first, nothing, nothing) as server:
        with pytest.raises(Exception, match=r"peer closed|incomplete|ended"):
            await read(connections, server)
    assert len([request for request in server.requests if "starting_after" in request.path]) == 2
