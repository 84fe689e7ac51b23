"""The worker's main loop: receives a block, runs it, and reports its end."""

from __future__ import annotations

import builtins
import faulthandler
import os
import signal
import sys
import time
from _thread import allocate_lock, start_new_thread

from .block import Blocks
from .channel import Channel
from .display import Displays
from .event_loop import NEVER, EventLoop
from .files import Files
from .harmless import harmless
from .hooks import AfterImport, before_children, before_waits
from .interrupts import Interrupts
from .libraries import adapt_libraries
from .lookups import Lookups
from .stacks import hide_worker
from .standby import Standby
from .streams import Input, OutputStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_TICK = 0.015
"""Seconds between two looks of `Watch` at the main thread."""
_IDLE = 0.05
"""Seconds to wait for another block before the worker forks a standby."""
_AT_ONCE = 0.001
"""Seconds in which a request that is there already is received."""


def main(control: int, answers: int, nonce: str, folder: str) -> None:
    """Run blocks until the daemon ends. The arguments are those of the command line."""
    channel = Channel(control, answers, nonce)
    interrupts = Interrupts()
    output = OutputStream(nonce, interrupts)
    stdin = Input(channel, output, interrupts)
    displays = Displays(channel, output)
    after_import = _install(output, stdin, displays)
    if os.environ.pop("OI_DAEMON_TOOLS", ""):
        _install_tools(channel, output, interrupts, displays)
    faulthandler.enable(channel.control, all_threads=False)
    files = Files(folder)
    blocks = Blocks(channel, output, interrupts, files)
    lookups = Lookups(channel, vars(sys.modules["__main__"]), files)
    parts = (channel, output, blocks, lookups)
    standby = Standby(channel, lambda: {fd for part in parts for fd in part.descriptors})
    before_waits(standby.discard, interrupts)
    _register_fork_hooks(channel, output, stdin, displays, standby, blocks, lookups)
    hide_worker(files, after_import)
    after_import.add("linecache", files.use_in_linecache)
    after_import.add("multiprocessing.spawn", blocks.definitions.adapt)
    after_import.add("asyncio", blocks.loop.adapt)
    watch = Watch(output, interrupts, blocks, channel)
    sys.argv, sys.path[0] = [""], ""

    def run(number: int, code: str) -> None:
        """Run one block, and mark its end in the output."""
        interrupts.install()
        output.reopen()
        with watch:
            blocks.run(number, code)
        output.end(number)

    def take_over() -> None:
        """Make this process, a fork of the standby, the one that runs blocks."""
        blocks.process = os.getpid()
        blocks.loop.take_over()
        watch.start()
        lookups.start()
        channel.take_over()

    _serve(Requests(channel, blocks.loop, standby), standby, run, take_over)


def _serve(
    requests: Requests,
    standby: Standby,
    run: Callable[[int, str], None],
    take_over: Callable[[], None],
) -> NoReturn:
    """Run block after block.

    The standby is renewed when the worker is idle, and around blocks that may end the process,
    where that is worth its time.
    Where `renew` returns True, this is the process that continues from a standby: it calls
    `take_over`, and waits for the next block.
    """
    while True:
        if standby.due and requests.idle() and standby.renew():
            take_over()
        request = requests.receive()
        if request is None:
            _end_group()
        number, megabytes, code = request
        risky = not harmless(code)
        if risky and standby.due and standby.pays(risky=True) and standby.renew():
            take_over()
            continue
        started = time.monotonic()
        run(number, code)
        standby.count(requests.pause, time.monotonic() - started)
        standby.due = (number, megabytes)
        requests.begin()
        if standby.pays(risky=risky) and standby.renew():
            take_over()


class Requests:
    """The daemon's requests to run blocks. While the worker waits for one, tasks go on."""

    def __init__(self, channel: Channel, loop: EventLoop, standby: Standby) -> None:
        self._channel = channel
        self._loop = loop
        self._standby = standby
        self._ended = 0.0
        """Time at which the last block has ended."""
        self.pause = 0.0
        """Seconds between the last block and the next request; 0 if it came during a fork."""

    def begin(self) -> None:
        """Begin to wait for the next request, because a block has ended."""
        self._ended, self.pause = time.monotonic(), 0.0

    def idle(self) -> bool:
        """Wait for a short time; return True if no request came."""
        came = self._wait(_IDLE)
        self.pause = time.monotonic() - self._ended
        return not came

    def receive(self) -> tuple[int, int, str] | None:
        """Wait for the next request; see `Channel.receive`."""
        start = time.monotonic()
        if self._loop.is_open:
            self._wait(NEVER)
        request = self._channel.receive()
        if (now := time.monotonic()) - start > _AT_ONCE:
            self.pause = now - self._ended
        return request

    def _wait(self, seconds: float) -> bool:
        """Wait for a request; return False if the time is over before."""
        channel = self._channel
        return channel.has_request or self._loop.wait(
            channel.control, seconds, self._standby.outdate
        )


class Watch:
    """A thread that looks at the main thread every few milliseconds while a block runs.

    It marks the active line, flushes the output, raises a delayed interrupt, and ends everything if
    the daemon has ended.
    """

    def __init__(
        self, output: OutputStream, interrupts: Interrupts, blocks: Blocks, channel: Channel
    ) -> None:
        self._channel = channel
        self._output = output
        self._interrupts = interrupts
        self._blocks = blocks
        self._running = False
        """True while a block runs."""
        self.start()

    def start(self) -> None:
        """Start the thread; also needed in a fork, which has only the thread that forked."""
        self._asleep = allocate_lock()
        """Held by the thread while it sleeps; releasing it wakes the thread."""
        self._asleep.acquire()
        start_new_thread(self._look, ())

    def __enter__(self) -> None:
        self._running = True
        if self._asleep.locked():
            self._asleep.release()

    def __exit__(self, *_: object) -> None:
        self._running = False

    def _look(self) -> None:
        """Tick while a block runs, and sleep otherwise; this is what the thread does."""
        while True:
            self._asleep.acquire()
            while self._running:
                time.sleep(_TICK)
                if self._running:
                    self._output.tick(self._blocks.loop.awaiting)
                    self._interrupts.retry()
                    if self._channel.hung_up():
                        _end_group()


def _install(output: OutputStream, stdin: Input, displays: Displays) -> AfterImport:
    """Put the worker's streams and hooks where the user's code finds them."""
    output.install()
    stdin.install()
    displays.install()
    after_import = AfterImport()
    after_import.add("getpass", stdin.hide_passwords)
    adapt_libraries(displays, after_import)
    before_children(after_import, output.before_child)
    return after_import


def _install_tools(
    channel: Channel, output: OutputStream, interrupts: Interrupts, displays: Displays
) -> None:
    """Make `tools` a builtin, where there are MCP servers. Loaded only then."""
    from .tools import ToolCaller, Tools

    caller = ToolCaller(channel, output, interrupts, displays)
    builtins.tools = Tools(caller)  # type: ignore[attr-defined]


def _register_fork_hooks(
    channel: Channel,
    output: OutputStream,
    stdin: Input,
    displays: Displays,
    standby: Standby,
    blocks: Blocks,
    lookups: Lookups,
) -> None:
    """Prepare for forks: a fork of the user's code must not act as the worker."""
    os.register_at_fork(before=lookups.before_fork, after_in_parent=lookups.after_fork)

    def in_child() -> None:
        """Cut the child off from the daemon, unless the worker itself has forked a standby."""
        lookups.after_fork()
        if standby.forking:
            output.after_fork()
            return
        standby.in_child()
        faulthandler.disable()
        output.in_child()
        stdin.in_child()
        displays.in_child()
        blocks.loop.in_child()
        channel.close()
        lookups.close()

    os.register_at_fork(
        before=output.before_fork, after_in_parent=output.after_fork, after_in_child=in_child
    )


def _end_group() -> NoReturn:
    """End this process and everything in its group, because the daemon has ended."""
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("unreachable")
