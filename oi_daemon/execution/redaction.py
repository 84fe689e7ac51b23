"""Replaces known keys in what code writes and shows, before anybody gets it or it is stored."""

from collections.abc import AsyncGenerator, Collection, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from oi_daemon.messages import (
    ActiveLine,
    BlockError,
    BlockResult,
    Chunk,
    Display,
    EndOfExecution,
    InputRequest,
    Output,
)

_MARK = "[key]"
_CUT = "…"
"""The character that stands where the rest of a text was left out."""
_BEGINNING = 6
"""Least characters of a key that are redacted if the rest of the key was left out."""


async def redacted(
    chunks: AsyncGenerator[Chunk, None], keys: Collection[str]
) -> AsyncGenerator[Chunk, None]:
    """Yield a block's chunks with `[key]` in the place of each key, also of one that is split.

    A text at the end of a chunk that may be the beginning of a key is held back until the next one.
    """
    redactor = Redactor(keys)
    async with aclosing(chunks):
        async for chunk in chunks:
            for each in redactor.feed(chunk):
                yield each
    for each in redactor.release():
        yield each


def without_keys(value: Any, keys: Collection[str]) -> Any:
    """Return a value of JSON with `[key]` in the place of each key, also of one that was cut."""
    redactor = Redactor(keys)

    def redact(value: Any) -> Any:
        match value:
            case str():
                return redactor.redact_cut(value)
            case list():
                return [redact(each) for each in value]
            case dict():
                return {name: redact(each) for name, each in value.items()}
            case _:
                return value

    return redact(value)


class Redactor:
    """Redacts one block's chunks."""

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = sorted(keys, key=len, reverse=True)
        self._held = ""
        """Text that may be the beginning of a key."""
        self._lines: list[Chunk] = []
        """`ActiveLine` chunks that arrived after the held text, and are held back with it."""

    def feed(self, chunk: Chunk) -> Iterator[Chunk]:
        """Yield what is known now; the rest is held back."""
        if isinstance(chunk, Output):
            yield from self._output(chunk.text)
        elif self._held and isinstance(chunk, ActiveLine) and chunk.line is not None:
            self._lines.append(chunk)
        else:
            yield from self.release()
            yield self._redact_chunk(chunk)

    def release(self) -> Iterator[Chunk]:
        """Yield what was held back: it was not a key."""
        if self._held:
            yield Output(self._held)
        yield from self._lines
        self._held, self._lines = "", []

    def _output(self, text: str) -> Iterator[Chunk]:
        """Yield text without keys; hold back an end that may be the beginning of one."""
        clean = self._redact(self._held + text)
        kept = max(_beginning(clean, key) for key in self._keys)
        shown, before = clean[: len(clean) - kept], self._held
        self._held = clean[len(clean) - kept :]
        if self._lines and shown.startswith(before):  # no key, so the lines stay where they were
            yield Output(before)
            yield from self._lines
            shown, self._lines = shown[len(before) :], []
        if shown:
            yield Output(shown)
            yield from self._lines
            self._lines = []

    def _redact(self, text: str) -> str:
        """Return the text with all whole keys replaced."""
        for key in self._keys:
            text = text.replace(key, _MARK)
        return text

    def redact_cut(self, text: str) -> str:
        """Return the text with all keys replaced, also those of which `…` has cut off the end."""
        text = self._redact(text)
        for key in self._keys if _CUT in text else ():
            for length in range(len(key) - 1, _BEGINNING - 1, -1):
                for quote in ("", "'", '"'):
                    text = text.replace(f"{key[:length]}{quote}{_CUT}", f"{_MARK}{quote}{_CUT}")
        return text

    def _redact_chunk(self, chunk: Chunk) -> Chunk:
        """Redact what a chunk other than output contains."""
        if isinstance(chunk, Display):
            return Display(self._redact_value(chunk.data))
        if isinstance(chunk, InputRequest):
            return replace(chunk, prompt=self._redact(chunk.prompt))
        if isinstance(chunk, EndOfExecution) and chunk.result and chunk.result.error:
            return EndOfExecution(self._redact_result(chunk.result, chunk.result.error))
        return chunk

    def _redact_result(self, result: BlockResult, error: BlockError) -> BlockResult:
        """Redact the error with which a block ended."""
        lines = tuple(map(self._redact, error.traceback))
        clean = BlockError(self._redact(error.name), self._redact(error.message), lines)
        return replace(result, error=clean)

    def _redact_value(self, value: Any) -> Any:
        """Redact all texts in a value of JSON."""
        match value:
            case str():
                return self._redact(value)
            case list():
                return [self._redact_value(each) for each in value]
            case dict():
                return {name: self._redact_value(each) for name, each in value.items()}
            case _:
                return value


def _beginning(text: str, key: str) -> int:
    """Return how many characters at the text's end are the beginning of the key."""
    position = text.find(key[0], max(0, len(text) - len(key) + 1))
    while position >= 0:
        if key.startswith(text[position:]):
            return len(text) - position
        position = text.find(key[0], position + 1)
    return 0
