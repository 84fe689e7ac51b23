"""A block of code as a tool call of ACP: its code, what it writes, and how it ended."""

import base64
from collections.abc import Mapping
from typing import Any

from oi_daemon.messages import Bundle, Written
from oi_daemon.messages.lines import plain
from oi_daemon.messages.text import fenced
from oi_daemon.server.acp.types import (
    ContentBlock,
    PictureBlock,
    ResourceBlock,
    TextBlock,
    TextResource,
    ToolCallBegun,
    ToolCallChanged,
    ToolCallState,
    ToolContent,
    ToolStatus,
)

MOST_OUTPUT = 20_000
"""Most characters of a block's output that are shown. An update repeats them all."""
_MOST_LINES = 1000
"""Most lines of a block's output that are shown."""
_MOST_DISPLAY = 4_000_000
"""Most characters of a picture or page that are shown."""
_TITLE = 60
"""Most characters of code in a title."""
_PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml")


class BlockCall:
    """One block. `begun` and `changed` are the updates that show it."""

    def __init__(self, id: str, language: str) -> None:
        self.id = id
        self.language = language
        self.code = ""
        self.is_written = False
        """All of the code is there."""
        self.line: int | None = None
        """The line that is being run."""
        self.status: ToolStatus = "pending"
        self._written = Written()
        self._length = 0
        """Number of characters that the block has written."""
        self._outcome = ""
        """How the block ended, in a word; empty while that is not known, or if it just ended."""
        self._result: dict[str, Any] | None = None

    @classmethod
    def stored(cls, id: str, message: Mapping[str, Any]) -> "BlockCall":
        """Return the call for a stored block, in the shape of `messages.dump`."""
        call = cls(id, message["language"])
        call.finish(message["code"])
        call.write(message.get("output") or "")
        for display in message.get("displays") or ():
            call.show(display, quietly=True)
        if message.get("status") == "declined":
            call.decline()
        else:
            call.end({name: message[name] for name in ("status", "error") if name in message})
        return call

    @property
    def is_open(self) -> bool:
        """Whether the block has not ended."""
        return self.status in ("pending", "in_progress")

    @property
    def size(self) -> int:
        """About how many characters an update has."""
        shown = min(self._length, MOST_OUTPUT)
        return len(self.code) + shown + sum(map(_display_size, self._written.displays))

    def write(self, text: str) -> None:
        """Add output."""
        self._written.write(text)
        self._length += len(text)

    def show(self, display: Bundle, *, quietly: bool = False) -> None:
        """Add a picture, table or page.

        Args:
            quietly: its plain text is in the output already.
        """
        if quietly:
            display = {mime: data for mime, data in display.items() if mime != "text/plain"}
        self._written.show(display)
        self._length += len(str(display.get("text/plain", "")))

    def finish(self, code: str) -> None:
        """The model has written the block, and this is its code."""
        self.code, self.is_written = code, True

    def run(self, code: str) -> None:
        """The block runs, with this code."""
        self.finish(code)
        self.status = "in_progress"

    def decline(self) -> None:
        """The block was not run, and will not be."""
        self.status, self._outcome, self.line = "failed", "not run", None
        self._result = {"status": "declined"}

    def end(self, result: Mapping[str, Any]) -> None:
        """The block has ended.

        Args:
            result: in the shape of the wire's `BlockResult`, as far as it is known.
        """
        status = result.get("status", "ok")
        error = result.get("error") or {}
        self.line = None
        self.status = "completed" if status == "ok" else "failed"
        self._outcome = "" if status == "ok" else str(error.get("name") or status)
        self._result = {"status": status, **result, "output": self.output}

    def begun(self) -> ToolCallBegun:
        """Return the update that announces the block. `changed` shows what there is of it."""
        return ToolCallBegun(
            tool_call_id=self.id, title=self._headline(), kind="execute", status="pending"
        )

    def changed(self) -> ToolCallChanged:
        """Return the update with all that there is to show now."""
        return ToolCallChanged(**self._fields())

    def state(self) -> ToolCallState:
        """Return the block for a question about it."""
        return ToolCallState(**self._fields())

    def _fields(self) -> dict[str, Any]:
        return {
            "tool_call_id": self.id,
            "title": self.title,
            "kind": "execute",
            "status": self.status,
            "content": [ToolContent(content=each) for each in self._content()],
            "raw_input": self._input if self.is_written else None,
            "raw_output": self._result,
            "meta": {"oi": {"activeLine": self.line}},
        }

    @property
    def _input(self) -> dict[str, str]:
        return {"language": self.language, "code": self.code}

    @property
    def title(self) -> str:
        """The language, how the code begins, and what is known of its run, in one line."""
        line = f" · line {self.line}" if self.line is not None else ""
        outcome = f" ({self._outcome})" if self._outcome else ""
        return f"{self._headline()}{line}{outcome}"

    def _headline(self) -> str:
        """Return the language and how the code begins."""
        lines = [" ".join(line.split()) for line in self.code.splitlines() if line.strip()]
        if not lines:
            return f"Run {self.language} code"
        if len(lines[0]) > _TITLE:
            return f"{self.language}: {lines[0][: _TITLE - 1]}…"
        return f"{self.language}: {lines[0]}{' …' if len(lines) > 1 else ''}"

    def _content(self) -> list[ContentBlock]:
        blocks: list[ContentBlock] = []
        if self.code:
            blocks.append(TextBlock(text=fenced(self.code, self.language)))
        if output := self.output:
            blocks.append(TextBlock(text=fenced(output)))
        for number, display in enumerate(self._written.displays):
            if shown := _shown(display, f"oi:{self.id}/display-{number}"):
                blocks.append(shown)
        return blocks

    @property
    def output(self) -> str:
        """The output as it looks in a terminal; of a long one, the end and a line that says so."""
        lines = self._written.last_lines(_MOST_LINES + 1)
        text = plain("\n".join(lines[-_MOST_LINES:])).strip("\n")
        if len(lines) <= _MOST_LINES and len(text) <= MOST_OUTPUT:
            return text
        return f"... the beginning of a long output is not shown here ...\n{text[-MOST_OUTPUT:]}"


def _shown(display: Bundle, uri: str) -> ContentBlock | None:
    """Return a display as content; None if its plain text, which is output, is all there is."""
    if _display_size(display) > _MOST_DISPLAY:
        return TextBlock(text="A picture or page is too large to be shown here.")
    for mime in _PICTURES:
        if isinstance(data := display.get(mime), str):
            if mime == "image/svg+xml":
                data = base64.b64encode(data.encode()).decode()
            return PictureBlock(data=data.replace("\n", ""), mime_type=mime)
    if isinstance(page := display.get("text/html"), str):
        return ResourceBlock(resource=TextResource(uri=uri, text=page, mime_type="text/html"))
    return None


def _display_size(display: Bundle) -> int:
    return sum(len(data) for data in display.values() if isinstance(data, str))
