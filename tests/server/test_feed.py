"""Several clients that follow one conversation, each at its own speed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from oi_daemon.protocol.methods import (
    ApproveParams,
    AttachParams,
    ChatParams,
    ChunkParams,
    ConversationParams,
    ExecuteParams,
    SettingsSetParams,
)
from oi_daemon.server import feed
from oi_daemon.server.daemon import Daemon
from oi_daemon.server.methods import Methods
from oi_daemon.server.outbox import HIGH_WATER
from tests.fakes.openai_server import ScriptedServer
from tests.patience import until
from tests.talk import code

CONVERSATION = "shared"
HERE = ConversationParams(conversation=CONVERSATION)


@dataclass
class Reader:
    """A sink that keeps all chunks; one that is stopped leaves each unread."""

    is_stopped: bool = False
    heard: list[ChunkParams] = field(default_factory=list)
    pending_bytes: int = 0

    def chunk(self, params: ChunkParams) -> None:
        self.heard.append(params)
        if self.is_stopped:
            self.pending_bytes += HIGH_WATER

    async def drain(self) -> None:
        await until(lambda: self.pending_bytes <= HIGH_WATER)

    @property
    def kinds(self) -> list[str]:
        return [kind for params in self.heard for kind in params.chunk]


@pytest.fixture
async def daemon() -> AsyncIterator[Daemon]:
    it = Daemon()
    yield it
    await it.close()


async def client(daemon: Daemon, sink: Reader, *, attached: bool = True) -> Methods:
    methods = Methods(sink, daemon)
    await methods.start(None, None)
    if attached:
        await methods.attach(AttachParams(conversation=CONVERSATION))
    return methods


def block(source: str) -> ExecuteParams:
    return ExecuteParams(conversation=CONVERSATION, language="python", code=source)


async def test_all_clients_get_all_chunks_under_the_same_numbers(daemon: Daemon) -> None:
    first, second = Reader(), Reader()
    asking = await client(daemon, first)
    await client(daemon, second)
    await asking.execute(block("print(1)"))
    assert first.heard == second.heard
    assert [each.seq for each in first.heard] == list(range(1, len(first.heard) + 1))


async def test_a_client_that_has_not_attached_itself_gets_its_own_turns_alone(
    daemon: Daemon,
) -> None:
    first, second = Reader(), Reader()
    asking = await client(daemon, first, attached=False)
    other = await client(daemon, second)
    await asking.execute(block("print(1)"))
    mine = len(first.heard)
    assert first.heard == second.heard
    await other.execute(block("print(2)"))
    assert len(first.heard) == mine < len(second.heard)


async def test_the_first_answer_counts_and_the_others_see_it(daemon: Daemon) -> None:
    async with ScriptedServer(code("import time; time.sleep(60)")) as server:
        first, second = Reader(), Reader()
        asking, other = await client(daemon, first), await client(daemon, second)
        settings = {"api_base": server.url, "api_key": "local"}
        await asking.settings_set(SettingsSetParams(conversation=CONVERSATION, settings=settings))
        asked = ChatParams(conversation=CONVERSATION, message="Go")
        turn = asyncio.create_task(asking.stream(asked))
        await until(lambda: any(each.approval for each in second.heard))
        yes = ApproveParams(conversation=CONVERSATION, approval="approval-1", decision="run")
        assert (await other.approve(yes)).accepted
        assert not (await asking.approve(yes)).accepted
        answered = {"event": {"kind": "answered", "approval": "approval-1"}}
        assert [each.state for each in first.heard if each.chunk == answered] == ["running"]
        assert (await other.interrupt(HERE)).interrupted
        assert (await turn).status == "interrupted"


async def test_a_turn_goes_on_when_the_client_that_asked_for_it_is_gone(daemon: Daemon) -> None:
    first, second = Reader(), Reader()
    asking = await client(daemon, first)
    await client(daemon, second)
    turn = asyncio.create_task(asking.execute(block("print(input('? '))")))
    await until(lambda: "input" in second.kinds)
    await asking.close()
    other = await client(daemon, Reader())
    heard = len(first.heard)
    assert (await other.interrupt(HERE)).interrupted
    assert (await turn).status == "interrupted"
    assert len(first.heard) == heard
    assert second.kinds[-1] == "event"


async def test_a_client_that_reads_nothing_does_not_hold_up_the_others_for_ever(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "STALLED_AFTER", 0.02)
    monkeypatch.setattr(feed, "MOST_UNREAD", 20 * HIGH_WATER)
    stopped, reading, cut = Reader(is_stopped=True), Reader(), asyncio.Event()
    asking = await client(daemon, reading)
    blocked = Methods(stopped, daemon, on_cut=cut.set)
    await blocked.start(None, None)
    await blocked.attach(AttachParams(conversation=CONVERSATION))
    await asking.execute(block("print(1)\n" * 50))
    assert reading.kinds.count("active_line") >= 50
    assert cut.is_set()
    assert stopped.pending_bytes <= 22 * HIGH_WATER
    stopped.pending_bytes, stopped.is_stopped = 0, False
    again = await client(daemon, stopped)
    await again.execute(block("1"))
    assert stopped.heard[-1] == reading.heard[-1]
