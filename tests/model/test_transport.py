"""Bounds of what a server may send, below the openai library."""

import re
import time

import pytest

from oi_daemon.errors import ConnectionLostError, ModelError
from oi_daemon.model import transport
from oi_daemon.model.models import Models
from tests.fakes.hostile_server import (
    HostileServer,
    endless,
    event,
    gzip_bomb,
    slow_head,
    stream,
    whole,
)
from tests.fakes.openai_server import ScriptedServer
from tests.model.asked import SPOKEN, Asked


async def ask(server: HostileServer, models: Models) -> Asked:
    asked = Asked(ScriptedServer(), models)
    await asked.reply(api_base=server.url)
    return asked


async def test_a_head_that_comes_byte_by_byte_is_given_up(warm: Models) -> None:
    models = Models(**SPOKEN, read_timeout=0.5)
    started = time.monotonic()
    with (
        HostileServer(slow_head(0.05)) as server,
        pytest.raises(ConnectionLostError, match="in time"),
    ):
        await ask(server, models)
    assert time.monotonic() - started < 10
    await models.close()


async def test_an_answer_has_an_end(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER_SECONDS", 0.5)
    with (
        HostileServer(endless(b": waiting\n\n")) as server,
        pytest.raises(ModelError, match="did not end within"),
    ):
        await ask(server, asked.models)


async def test_a_compressed_answer_is_read(asked: Asked) -> None:
    words = event(content="word " * 20) + b"data: [DONE]\n\n"
    with HostileServer(gzip_bomb(words.ljust(1 << 20, b"\n"), 1)) as server:
        assert (await ask(server, asked.models)).message == "word " * 20


CLOSES = "Connection: close"
"""Else the next request could be sent on a connection that the server is just closing."""


async def test_a_redirect_on_the_same_server_is_followed(asked: Asked) -> None:
    good = stream(event(content="Hi"))
    with HostileServer(good) as server:
        moved = whole("307 Temporary Redirect", b"", "Location: /v1/chat/completions/", CLOSES)
        server.attacks = [moved, good]
        assert (await ask(server, asked.models)).message == "Hi"
        assert [re.findall(rb"POST (\S+)", each)[0] for each in server.requests] == [
            b"/v1/chat/completions",
            b"/v1/chat/completions/",
        ]
