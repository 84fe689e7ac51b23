"""The daemon's descriptors: what can be read, and how it learns that the client is gone."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from oi_daemon.server import descriptors as wire
from oi_daemon.server.descriptors import read, watch_output, watch_process
from tests.patience import PATIENCE


@pytest.fixture
def watches() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


async def all_of(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def test_a_pipe_is_read_to_its_end() -> None:
    reads, writes = os.pipe()
    reading = asyncio.create_task(all_of(read(reads)))
    os.write(writes, b"one")
    await asyncio.sleep(0)
    os.write(writes, b"two")
    os.close(writes)
    assert await reading == b"onetwo"
    os.close(reads)


async def test_a_regular_file_is_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x" * 200_000)
    with (tmp_path / "in").open("rb") as file:
        assert len(await all_of(read(file.fileno()))) == 200_000


async def test_a_socket_is_read_to_the_end_of_what_is_sent() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"all")
        theirs.shutdown(socket.SHUT_WR)
        assert await all_of(read(ours.fileno())) == b"all"


async def test_a_terminal_that_hangs_up_is_an_end() -> None:
    import pty

    master, terminal = pty.openpty()
    pieces = read(terminal)
    os.write(master, b"line\n")
    assert await anext(pieces) == b"line\n"
    os.close(master)
    assert await all_of(pieces) == b""
    os.close(terminal)


async def test_a_reader_that_closes_is_noticed_though_nothing_is_written(
    watches: ExitStack,
) -> None:
    reads, writes = os.pipe()
    gone = asyncio.Event()
    watch_output(writes, gone.set, watches)
    await asyncio.sleep(0)
    assert not gone.is_set()
    os.close(reads)
    await asyncio.wait_for(gone.wait(), PATIENCE)
    os.close(writes)


async def test_a_socket_that_only_ends_its_input_is_not_gone(watches: ExitStack) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        gone = asyncio.Event()
        watch_output(ours.fileno(), gone.set, watches)
        theirs.shutdown(socket.SHUT_WR)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not gone.is_set()
        theirs.close()
        await asyncio.wait_for(gone.wait(), PATIENCE)


async def test_a_file_as_output_needs_no_watch(tmp_path: Path, watches: ExitStack) -> None:
    with (tmp_path / "out").open("wb") as file:
        watch_output(file.fileno(), pytest.fail, watches)
        await asyncio.sleep(0)


@pytest.mark.parametrize("has_pidfd", [True, False])
async def test_the_end_of_a_process_is_noticed(
    has_pidfd: bool, watches: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE)
    if not has_pidfd:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
        monkeypatch.setattr(wire, "_PROCESS_CHECK", 0.01)
    gone = asyncio.Event()
    assert watch_process(child.pid, gone.set, watches)
    await asyncio.sleep(0)
    assert not gone.is_set()
    child.kill()
    await child.wait()
    await asyncio.wait_for(gone.wait(), PATIENCE)


@pytest.mark.parametrize("has_pidfd", [True, False])
async def test_a_process_that_is_not_there_is_not_watched(
    has_pidfd: bool, watches: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = await asyncio.create_subprocess_exec("true")
    await child.wait()
    if not has_pidfd:
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    assert not watch_process(child.pid, pytest.fail, watches)
    await asyncio.sleep(0)


def test_claim_leaves_nothing_to_read_and_stderr_to_write() -> None:
    """For us and for children; the claimed descriptors are not inherited."""
    code = """
import os, subprocess
from oi_daemon.server.descriptors import claim
stdin, stdout = claim()
print("stray", flush=True)
subprocess.run(["sh", "-c", "cat; echo child; ls /proc/self/fd >&2"])
os.write(stdout, os.read(stdin, 9))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"request", capture_output=True, check=True
    )
    assert done.stdout == b"request"
    assert done.stderr.split() == [b"stray", b"child", b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_claim_does_with_streams_that_are_closed(closed: str) -> None:
    code = """
from oi_daemon.server.descriptors import claim
i, o = claim()
assert min(i, o) > 2, (i, o)
"""
    subprocess.run(["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, code], check=True)
