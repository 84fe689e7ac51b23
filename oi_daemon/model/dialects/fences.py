"""Code blocks in a message, as Markdown fences: chunks while they stream.

A fence whose first word is a language that can be run is code; any other is part of the message.
The rules are CommonMark's: a fence that is still open at the end of the message ends there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from io import StringIO

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk
from oi_daemon.model.dialects.parts import ReplyPart

LONGEST_FENCE = 100
"""Characters of an unfinished line that are held back at most, because it may become a fence; a
longer line is text."""


@dataclass(slots=True)
class _Fence:
    """A fence that has been opened and not closed yet."""

    indent: int
    """Spaces before the opening fence, which are removed from the lines of code."""
    fence: str
    """The characters of the opening fence, such as three backticks."""
    language: str
    """The language of the code; empty if the block is part of the message."""
    code: StringIO = field(default_factory=StringIO)
    """The code so far."""

    def may_close(self, line: str) -> bool:
        """Return whether the line so far can be the beginning of the closing fence."""
        fence = line.strip(" ")
        indent = len(line) - len(line.lstrip(" "))
        return indent <= self.indent + 3 and not fence.strip(self.fence[0])

    def closes(self, line: str) -> bool:
        """Return whether the whole line is the closing fence."""
        return self.may_close(line) and len(line.strip(" ")) >= len(self.fence)


class FenceParser:
    """Turns the text of a message into chunks. A delta of plain text is one chunk.

    Only what can still become part of a fence is held back: newlines and the start of a line.
    """

    def __init__(self, is_language: Callable[[str], bool]) -> None:
        self._is_language = is_language
        self._block: _Fence | None = None
        """The fence that is open; None outside of one."""
        self._line = ""
        """The start of a line that is held back, because it can still become a fence."""
        self._at_line_start = True
        """Whether nothing of the current line was passed on."""
        self._newlines = 0
        """Number of newlines held back. Those around a block of code are dropped."""
        self._after_block = False
        """Whether a block of code has just ended and no text has followed."""
        self._text: list[str] = []
        """Pieces of the text or code that the next chunk will hold."""
        self._chunks: list[ReplyPart] = []
        """Finished chunks, which the next end of `feed` or `flush` returns."""

    @property
    def is_in_line(self) -> bool:
        """Whether a line of the message goes on, and nothing is held back."""
        return not (self._at_line_start or self._line or self._block)

    def feed(self, delta: str) -> list[ReplyPart]:
        """Return the chunks that this delta adds."""
        data, at = self._line + delta, 0
        self._line = ""
        while at < len(data):
            if data[at] == "\n":
                self._newlines += 1
                self._at_line_start = True
                at += 1
                continue
            end = data.find("\n", at)
            line = data[at:] if end < 0 else data[at:end]
            if self._at_line_start and end < 0 and self._may_be_fence(line):
                self._line = line
                break
            at += self._take_line(line) if self._at_line_start and end >= 0 else self._write(line)
        return self._take_chunks()

    def flush(self, *, complete: bool = True) -> list[ReplyPart]:
        """Return the chunks that the end of the message adds.

        Args:
            complete: whether the model itself has ended here; if not, a block that is open does
                not become `Executing`.
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
        chunks = self._take_chunks()
        self._block = None
        self._at_line_start = True
        return chunks

    def _take_line(self, line: str) -> int:
        """Handle a whole line that may be a fence; return how many characters are handled."""
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
        """Open a block, or pass the line on as text; return how many characters are handled."""
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
        """End a block of code, which is complete."""
        self._end_text()
        self._chunks.append(Executing(block.code.getvalue(), block.language))
        self._block = None
        self._newlines = 0
        self._after_block = True

    def _write(self, text: str) -> int:
        """Pass on text or code, after the newlines that were held back; return its length."""
        size = len(text)
        if self._at_line_start and self._block and self._block.language:
            spaces = size - len(text.lstrip(" "))
            text = text[min(spaces, self._block.indent) :]
        if self._newlines and not self._after_block:
            self._text.append("\n" * self._newlines)
        self._text.append(text)
        self._newlines = 0
        self._at_line_start = self._after_block = False
        return size

    def _may_be_fence(self, line: str) -> bool:
        """Return whether the line so far can become a fence, so that it has to wait."""
        if len(line) > LONGEST_FENCE:
            return False
        if self._block:
            return self._block.may_close(line)
        return _MAY_OPEN.fullmatch(line) is not None

    def _end_text(self) -> None:
        """Make a chunk of the text that was passed on since the last chunk."""
        text = "".join(self._text)
        self._text = []
        if not text:
            return
        if self._block and self._block.language:
            self._block.code.write(text)
            self._chunks.append(CodeChunk(text))
        else:
            self._chunks.append(MessageChunk(text))

    def _take_chunks(self) -> list[ReplyPart]:
        """Return the chunks that are ready, and forget them."""
        self._end_text()
        chunks, self._chunks = self._chunks, []
        return chunks


_OPENING = re.compile(r"( {0,8})(`{3,}|~{3,})[ \t]*([^\s`]*)[^`]*")
_MAY_OPEN = re.compile(r" {0,8}(?:`{0,2}|~{0,2}|`{3,}[^`]*|~{3,}[^`]*)")
