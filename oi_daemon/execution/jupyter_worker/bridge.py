"""Between the daemon and a kernel: blocks one way, what they do the other."""

import os
import queue
import resource
import signal
import time
from collections.abc import Iterator
from typing import Any

from .channel import BlockRequest, DaemonChannel
from .kernel import Kernel, poller

_DISPLAY_ID = "application/vnd.oi.display-id"
_LATE = 0.05
"""Seconds: a kernel hears of what a child has written by and by."""
_CLEAR = "\x1b[H\x1b[2J"


class Bridge:
    """Between the daemon and one kernel."""

    def __init__(self, channel: DaemonChannel, kernel: Kernel, signals: int) -> None:
        self._channel = channel
        self._kernel = kernel
        self._signals = signals
        self._block: BlockRequest | None = None
        self._request = ""
        """The id of the message that runs the block."""
        self._open: set[str] = set()
        """What is to come until the block has ended."""
        self._ends = 0.0
        """When all has been done and what is late has been waited for."""
        self._asked: int | None = None
        self._clear = False

    def run(self) -> None:
        """Until one side is gone."""
        channel, kernel = self._channel, self._kernel
        waiting = poller(kernel, channel.control, channel.answers, self._signals)
        while kernel.process.poll() is None:
            ready = {source for source, _ in waiting.poll(self._lingers())}
            if self._signals in ready:
                self._signalled()
            if channel.answers in ready:
                for number, line in channel.lines():
                    self._answer(number, line)
            self._listen()
            if channel.control in ready:
                for block in channel.blocks():
                    self._begin(block)
        self._listen()

    def _signalled(self) -> None:
        if signal.SIGINT in os.read(self._signals, 1 << 10) and self._block is not None:
            self._kernel.interrupt()

    def _begin(self, block: BlockRequest) -> None:
        self._block = block
        self._open = {"reply", "idle"}
        self._ends = 0.0
        self._kernel.forget()
        self._request = self._kernel.client.execute(block.code, allow_stdin=True)

    def _answer(self, number: int, line: str | None) -> None:
        if number == self._asked:
            self._asked = None
            self._kernel.answer(line)

    def _listen(self) -> None:
        """Tell all that the kernel has said."""
        client = self._kernel.client
        for message in _messages(client.iopub_channel):
            self._published(message)
        for message in _messages(client.stdin_channel):
            if message["msg_type"] == "input_request":
                self._ask(message["content"])
        for message in _messages(client.shell_channel):
            if self._is_ours(message):
                self._replied(message["content"])
        self._kernel.listen()
        if self._block is not None and self._lingers() == 0:
            self._channel.mark("E", self._block.number)
            self._block = None

    def _lingers(self) -> int | None:
        """Milliseconds until the block has ended; None if it goes on, or there is none."""
        if self._block is None or self._open:
            return None
        self._ends = self._ends or time.monotonic() + _LATE
        return max(0, round(1000 * (self._ends - time.monotonic())))

    def _is_ours(self, message: dict[str, Any]) -> bool:
        return bool(message["parent_header"].get("msg_id") == self._request)

    def _published(self, message: dict[str, Any]) -> None:
        content = message["content"]
        match message["msg_type"]:
            case "status" if self._is_ours(message):
                self._status(content["execution_state"])
            case "stream":
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
        if state == "busy":
            self._channel.mark("L", 0)
        elif state == "idle":
            self._open.discard("idle")

    def _replied(self, content: dict[str, Any]) -> None:
        self._open.discard("reply")
        for payload in content.get("payload") or []:
            if payload.get("source") == "page":
                self._show({"data": {"text/plain": payload["data"].get("text/plain", "")}})

    def _ask(self, content: dict[str, Any]) -> None:
        asked = {"input": content.get("prompt", ""), "password": bool(content.get("password"))}
        self._asked = self._channel.notify(**asked)

    def _show(self, content: dict[str, Any]) -> None:
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
        self._channel.write(_CLEAR + text if self._clear else text)
        self._clear = False


def _messages(channel: Any) -> Iterator[dict[str, Any]]:
    while True:
        try:
            yield channel.get_msg(timeout=0)
        except queue.Empty:
            return


def _summary(error: dict[str, Any]) -> str:
    return f"{error.get('ename', 'Error')}: {error.get('evalue', '')}"


def _told_of_signals() -> int:
    """A descriptor that gives the number of each SIGINT and SIGCHLD."""
    told, tell = os.pipe()
    for end in (told, tell):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    return told


def main(control: str, answers: str, nonce: str, interrupts: str, *command: str) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signals = _told_of_signals()
    channel = DaemonChannel(int(control), int(answers), nonce)
    kernel = Kernel(command, interrupted_by_message=interrupts == "message")
    if kernel.wait():
        Bridge(channel, kernel, signals).run()
    channel.write(kernel.last_words())
    kernel.die_alike()
