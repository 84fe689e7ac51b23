"""The worker's life: take a block, run it, say that it has ended."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import time
from _thread import allocate_lock, start_new_thread

from .block import Blocks
from .channel import Channel
from .display import Displays
from .harmless import harmless
from .heirs import Heirs
from .hooks import AfterImport, before_children, before_waits
from .interrupts import Interrupts
from .libraries import show_by
from .streams import Input, OutputStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

_TICK = 0.015
"""Seconds between two looks at a block that runs."""


def main(control: int, answers: int, nonce: str) -> None:
    channel = Channel(control, answers, nonce)
    interrupts = Interrupts()
    output = OutputStream(nonce, interrupts)
    stdin = Input(channel, output, interrupts)
    displays = Displays(channel, output)
    after_import = _install(output, stdin, displays)
    faulthandler.enable(channel.control, all_threads=False)
    blocks = Blocks(output, interrupts)
    heirs = Heirs(channel, lambda: channel.descriptors | output.descriptors | blocks.descriptors)
    before_waits(heirs.discard, interrupts)
    _at_forks(channel, output, stdin, displays, heirs)
    after_import.add("linecache", blocks.sources.use_in_linecache)
    watch = Watch(output, interrupts, blocks)
    sys.argv, sys.path[0] = [""], ""

    def run(number: int, code: str) -> None:
        interrupts.install()
        output.reopen()
        with watch:
            blocks.run(number, code)
        output.end(number)

    def go_on() -> None:
        blocks.process = os.getpid()
        watch.start()
        channel.succeed()

    _serve(channel, heirs, run, go_on)


def _serve(
    channel: Channel, heirs: Heirs, run: Callable[[int, str], None], go_on: Callable[[], None]
) -> NoReturn:
    """Run block after block. `go_on` is called in the copy that was woken."""
    while True:
        if heirs.due and channel.quiet() and heirs.renew():
            go_on()
        request = channel.receive()
        if request is None:
            _die()
        number, megabytes, code = request
        risky = not harmless(code)
        if risky and heirs.due and heirs.renew():
            go_on()
            continue
        run(number, code)
        heirs.due = (number, megabytes)
        if risky and heirs.renew():
            go_on()


class Watch:
    """A thread that looks at the main thread from time to time while a block runs."""

    def __init__(self, output: OutputStream, interrupts: Interrupts, blocks: Blocks) -> None:
        self._output = output
        self._interrupts = interrupts
        self._blocks = blocks
        self._running = False
        self.start()

    def start(self) -> None:
        """Start the thread; in a fork it is not there."""
        self._asleep = allocate_lock()
        self._asleep.acquire()
        start_new_thread(self._look, ())

    def __enter__(self) -> None:
        self._running = True
        if self._asleep.locked():
            self._asleep.release()

    def __exit__(self, *_: object) -> None:
        self._running = False

    def _look(self) -> None:
        while True:
            self._asleep.acquire()
            while self._running:
                time.sleep(_TICK)
                if self._running:
                    self._output.tick(self._blocks.loop.awaiting)
                    self._interrupts.retry()


def _install(output: OutputStream, stdin: Input, displays: Displays) -> AfterImport:
    """Put ours in the places where the user's code looks."""
    output.install()
    stdin.install()
    displays.install()
    after_import = AfterImport()
    after_import.add("getpass", stdin.hide_passwords)
    show_by(displays, after_import)
    before_children(after_import, output.before_child)
    return after_import


def _at_forks(
    channel: Channel, output: OutputStream, stdin: Input, displays: Displays, heirs: Heirs
) -> None:
    def in_child() -> None:
        if heirs.forking:
            output.after_fork()
            return
        heirs.in_child()
        faulthandler.disable()
        output.in_child()
        stdin.in_child()
        displays.in_child()
        channel.close()

    os.register_at_fork(
        before=output.before_fork, after_in_parent=output.after_fork, after_in_child=in_child
    )


def _die() -> NoReturn:
    """The daemon is gone: end with all that was started here."""
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("unreachable")
