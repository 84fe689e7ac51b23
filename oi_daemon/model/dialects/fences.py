"""Code blocks in a message: Markdown fences, as chunks while they are written.

A fence whose first word is a language that can be run is code; any other is part of the message.
The rules are CommonMark's, and an answer that ends within a fence has ended the fence as well.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk

FenceChunk = MessageChunk | LanguageChunk | CodeChunk | Executing

LONGEST_FENCE = 100
"""Characters of a line that may still be a fence's; no longer one is waited for."""


@dataclass(slots=True)
class _Fence:
    """The fence that is open."""

    indent: int
    fence: str
    language: str
    """Empty: the block is part of the message."""
    code: list[str] = field(default_factory=list)

    def may_close(self, line: str) -> bool:
        """The line, perhaps unfinished, is nothing but the beginning of a closing fence."""
        fence = line.strip(" ")
        indent = len(line) - len(line.lstrip(" "))
        return indent <= self.indent + 3 and not fence.strip(self.fence[0])

    def closes(self, line: str) -> bool:
        return self.may_close(line) and len(line.strip(" ")) >= len(self.fence)


class FenceParser:
    """Chunks of a message. Each delta of plain text is one chunk, the same text.

    Only what may still turn out to be a fence is held back: newlines and the start of a line.
    """

    def __init__(self, is_language: Callable[[str], bool]) -> None:
        self._is_language = is_language
        self._block: _Fence | None = None
        self._line = ""
        """The start of a line that may become a fence."""
        self._line_starts = True
        self._newlines = 0
        """How many are held back; a block drops those before it and those at its end."""
        self._after_block = False
        self._text: list[str] = []
        self._chunks: list[FenceChunk] = []

    def feed(self, delta: str) -> list[FenceChunk]:
        data, at = self._line + delta, 0
        self._line = ""
        while at < len(data):
            if data[at] == "\n":
                self._newlines += 1
                self._line_starts = True
                at += 1
                continue
            end = data.find("\n", at)
            line = data[at:] if end < 0 else data[at:end]
            if self._line_starts and end < 0 and self._may_be_fence(line):
                self._line = line
                break
            at += self._take_line(line) if self._line_starts and end >= 0 else self._write(line)
        return self._taken()

    def flush(self, *, complete: bool = True) -> list[FenceChunk]:
        """The end of the message.

        Args:
            complete: the model has ended here. If not, a block that is open is not to be run.
        """
        line, self._line = self._line, ""
        if self._block and self._block.closes(line):
            self._take_line(line)
        elif line:
            self._write(line)
        if self._block is None or not self._block.language:
            self._write("")
        elif complete:
            self._close(self._block)
        chunks = self._taken()
        self._block = None
        self._line_starts = True
        return chunks

    def _take_line(self, line: str) -> int:
        """A whole line; gives how many characters are done with it."""
        if self._block is None:
            opening = _OPENING.fullmatch(line)
            return self._open(line, opening) if opening else self._write(line)
        if not self._block.closes(line):
            return self._write(line)
        if self._block.language:
            self._close(self._block)
        else:
            self._write(line)
            self._block = None
        return len(line)

    def _open(self, line: str, opening: re.Match[str]) -> int:
        indent, fence, language = len(opening[1]), opening[2], opening[3].lower()
        if not self._is_language(language):
            self._block = _Fence(indent, fence, "")
            return self._write(line)
        self._end_text()
        self._newlines = 0
        self._after_block = False
        self._block = _Fence(indent, fence, language)
        self._chunks.append(LanguageChunk(language))
        return len(line) + 1

    def _close(self, block: _Fence) -> None:
        self._end_text()
        self._chunks.append(Executing("".join(block.code), block.language))
        self._block = None
        self._newlines = 0
        self._after_block = True

    def _write(self, text: str) -> int:
        """Text of the message or of the code, and the newlines that were held back before it."""
        size = len(text)
        if self._line_starts and self._block and self._block.language:
            spaces = size - len(text.lstrip(" "))
            text = text[min(spaces, self._block.indent) :]
        if self._newlines and not self._after_block:
            self._text.append("\n" * self._newlines)
        self._text.append(text)
        self._newlines = 0
        self._line_starts = self._after_block = False
        return size

    def _may_be_fence(self, line: str) -> bool:
        if len(line) > LONGEST_FENCE:
            return False
        if self._block:
            return self._block.may_close(line)
        return _MAY_OPEN.fullmatch(line) is not None

    def _end_text(self) -> None:
        text = "".join(self._text)
        self._text = []
        if not text:
            return
        if self._block and self._block.language:
            self._block.code.append(text)
            self._chunks.append(CodeChunk(text))
        else:
            self._chunks.append(MessageChunk(text))

    def _taken(self) -> list[FenceChunk]:
        self._end_text()
        chunks, self._chunks = self._chunks, []
        return chunks


_OPENING = re.compile(r"( {0,8})(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*")
_MAY_OPEN = re.compile(r" {0,8}(?:`{0,2}|~{0,2}|`{3,}[^`]*|~{3,}[^`]*)")
