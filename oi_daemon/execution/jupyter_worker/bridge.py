"""Passes blocks from the daemon to a kernel, and what they do back to the daemon."""

import os
import queue
import resource
import signal
import time
from collections.abc import Iterator
from typing import Any

from .channel import BlockRequest, DaemonChannel, DaemonEndedError
from .kernel import Kernel, poller
from .provisioned import ProvisionedKernel

_DISPLAY_ID = "application/vnd.oi.display-id"
"""The key of a display's id in its bundle."""
_LATE = 0.05
"""Seconds for which a block stays open after its reply, because what child processes have written
reaches the kernel late."""
_CLEAR = "\x1b[H\x1b[2J"
"""Terminal codes that clear what the block has shown."""


_RESTARTED = {
    "name": "KernelRestarted",
    "message": "The kernel was started again by who runs it. Its variables are lost.",
    "traceback": [],
}


class Bridge:
    """Connects the daemon and one kernel."""

    def __init__(
        self, channel: DaemonChannel, kernel: Kernel | ProvisionedKernel, signals: int
    ) -> None:
        """
        Args:
            signals: a descriptor from which the numbers of signals are read.
        """
        self._channel = channel
        self._kernel = kernel
        self._signals = signals
        self._block: BlockRequest | None = None
        """The block that runs."""
        self._request = ""
        """The id of the message that runs the block."""
        self._expected: set[str] = set()
        """Messages that the kernel still has to send about the block: its reply, and `idle`."""
        self._ends = 0.0
        """When the block ends: `_LATE` after the last expected message; 0 before that message."""
        self._asked: int | None = None
        """The number of the request for input that waits for an answer."""
        self._clear = False
        """True if the next output must clear what the block has shown."""
        self._has_run = False
        """Whether the kernel has begun a block since its start, so that it may have variables. What
        it writes before is about itself."""
        self._is_fresh = False
        """Whether the kernel was started again, and nobody has been told yet."""

    def run(self) -> None:
        """Pass blocks and messages on until the kernel or the daemon ends."""
        channel, kernel = self._channel, self._kernel
        descriptors = (kernel.stray_output.reader, channel.control, channel.answers)
        sources = poller(kernel.client, *descriptors, self._signals)
        while kernel.is_alive:
            ready = {source for source, _ in sources.poll(self._milliseconds_to_end())}
            if self._signals in ready:
                self._on_signals()
            if channel.answers in ready:
                for number, line in channel.lines():
                    self._answer(number, line)
            self._receive()
            if channel.control in ready:
                for block in channel.blocks():
                    self._begin(block)
        self._receive()

    def _on_signals(self) -> None:
        """Read the signals that have arrived, and pass an interrupt of a block on to the kernel."""
        if signal.SIGINT in os.read(self._signals, 1 << 10) and self._block is not None:
            self._kernel.interrupt()

    def _begin(self, block: BlockRequest) -> None:
        """Send a block to the kernel."""
        self._block = block
        self._expected = {"reply", "idle"}
        self._ends = 0.0
        self._kernel.stray_output.clear()
        self._request = self._kernel.client.execute(block.code, allow_stdin=True)

    def _answer(self, number: int, line: str | None) -> None:
        """Pass a line of input on to the kernel, if its request still waits."""
        if number == self._asked:
            self._asked = None
            self._kernel.answer(line)

    def _receive(self) -> None:
        """Pass all messages of the kernel on that have arrived, and end the block if it is over."""
        client = self._kernel.client
        for message in _messages(client.iopub_channel):
            self._published(message)
        for message in _messages(client.stdin_channel):
            if message["msg_type"] == "input_request":
                self._ask(message["content"])
        for message in _messages(client.shell_channel):
            if self._is_about_block(message):
                self._replied(message["content"])
        self._kernel.stray_output.read()
        if self._block is not None and self._milliseconds_to_end() == 0:
            self._channel.mark("E", self._block.number)
            self._block = None

    def _milliseconds_to_end(self) -> int | None:
        """Return how long the block stays open; None if it still runs, or there is none."""
        if self._block is None or self._expected:
            return None
        self._ends = self._ends or time.monotonic() + _LATE
        return max(0, round(1000 * (self._ends - time.monotonic())))

    def _is_about_block(self, message: dict[str, Any]) -> bool:
        """Return True if the message belongs to the block that runs."""
        return bool(message["parent_header"].get("msg_id") == self._request)

    def _published(self, message: dict[str, Any]) -> None:
        """Handle a message of the iopub channel: output, a display, an error, or a state."""
        content = message["content"]
        match message["msg_type"]:
            case "status" if content["execution_state"] in ("starting", "restarting"):
                self._restarted()
            case "status" if self._is_about_block(message):
                self._status(content["execution_state"])
            case "stream" if self._has_run:
                self._write(content["text"])
            case "error":
                self._write("\n".join(content["traceback"] or [_summary(content)]) + "\n")
            case "execute_result" | "display_data" | "update_display_data":
                self._show(content)
            case "clear_output":
                self._clear = True
                if not content.get("wait"):
                    self._write("")

    def _status(self, state: str) -> None:
        """Handle the kernel's state while it runs the block."""
        if state == "busy":
            self._has_run = True
            self._channel.mark("L", 0)
            self._tell_restart()
        elif state == "idle":
            self._expected.discard("idle")

    def _restarted(self) -> None:
        """Take note that the kernel starts. If it had run something, its variables are lost.

        A block that ran is over: no reply will come.
        """
        self._is_fresh, self._has_run = self._has_run, False
        if self._is_fresh and self._block is not None:
            self._tell_restart()
            self._channel.notify(error=_RESTARTED)
            self._expected.clear()

    def _tell_restart(self) -> None:
        """Write that the kernel was started again, if that is so."""
        if self._is_fresh:
            self._write(f"[{_RESTARTED['message']}]\n")
        self._is_fresh = False

    def _replied(self, content: dict[str, Any]) -> None:
        """Handle the reply to the block: the error that ended it, a page of text such as help."""
        self._expected.discard("reply")
        if content.get("status") == "error":
            lines = "\n".join(content.get("traceback") or []).split("\n")
            error = {"name": content.get("ename"), "message": content.get("evalue")}
            self._channel.notify(error={**error, "traceback": lines})
        for payload in content.get("payload") or []:
            if payload.get("source") == "page":
                self._show({"data": {"text/plain": payload["data"].get("text/plain", "")}})

    def _ask(self, content: dict[str, Any]) -> None:
        """Request a line of input from the daemon."""
        asked = {"input": content.get("prompt", ""), "password": bool(content.get("password"))}
        self._asked = self._channel.notify(**asked)

    def _show(self, content: dict[str, Any]) -> None:
        """Display a bundle; write it as output if it is only text."""
        bundle = dict(content["data"])
        name = (content.get("transient") or {}).get("display_id")
        if name is None and list(bundle) == ["text/plain"]:
            self._write(f"{bundle['text/plain']}\n")
            return
        bundle.setdefault("text/plain", f"<{', '.join(bundle)}>")
        if name is not None:
            bundle[_DISPLAY_ID] = str(name)
        self._write("")
        self._channel.notify(display=bundle)

    def _write(self, text: str) -> None:
        """Write output, after a clear that was held back for it."""
        self._channel.write(_CLEAR + text if self._clear else text)
        self._clear = False


def _messages(channel: Any) -> Iterator[dict[str, Any]]:
    """Yield the messages of a channel that have arrived."""
    while True:
        try:
            yield channel.get_msg(timeout=0)
        except queue.Empty:
            return


def _summary(error: dict[str, Any]) -> str:
    """Return an error in one line, for a kernel that sends no traceback."""
    return f"{error.get('ename', 'Error')}: {error.get('evalue', '')}"


def _signal_descriptor() -> int:
    """Return a descriptor from which the number of each SIGINT and SIGCHLD can be read."""
    reader, writer = os.pipe()
    for end in (reader, writer):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return reader


def main(control: str, answers: str, nonce: str, interrupts: str, *command: str) -> None:
    """Run blocks until the kernel ends. The arguments are those of the command line."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signals = _signal_descriptor()
    channel = DaemonChannel(int(control), int(answers), nonce)
    kernel: Kernel | ProvisionedKernel
    if interrupts == "provisioner":
        kernel = ProvisionedKernel(command[0], channel.control)
    else:
        kernel = Kernel(command, interrupted_by_message=interrupts == "message")
    try:
        if kernel.wait():
            Bridge(channel, kernel, signals).run()
    except (DaemonEndedError, BrokenPipeError):
        kernel.end()
    channel.write(kernel.last_words())
    kernel.exit_alike()
