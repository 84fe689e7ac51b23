"""The words of a query, as the index searches for them and as they are shown in a snippet."""

import re
from collections.abc import Sequence

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""A character of a script that puts no spaces between words, such as Chinese, Japanese and Thai."""

_SPACE = "\u200b"
"""A space without width, which separates words for the index and does not show."""

_SURROGATE = re.compile("[\ud800-\udfff]")

_BEFORE, _LENGTH = 40, 160
"""Characters of a snippet: before the word that was found, and in all."""


def separated(text: str) -> str:
    """The text as it is indexed: each character of a script without spaces is a word."""
    if text.isascii():
        return text
    return _UNSPACED.sub(rf"{_SPACE}\g<0>{_SPACE}", _SURROGATE.sub("\ufffd", text))


def words_of(query: str) -> list[str]:
    """The query's words; those without any letter or digit cannot be searched for."""
    return [word for word in query.split() if any(c.isalnum() for c in word)]


def match_expression(words: Sequence[str]) -> str:
    """An FTS5 expression for texts that hold all words, or words that begin with them."""
    return " AND ".join(f"({' OR '.join(map(_phrase, _spellings(word)))})" for word in words)


def holds_all(words: Sequence[str], text: str) -> bool:
    """Whether the text holds all words, for a SQLite without FTS5."""
    folded = text.casefold()
    return all(word.casefold() in folded for word in words)


def snippet(words: Sequence[str], indexed: str) -> str:
    """A short piece of an indexed text, on one line, around the first of the words in it."""
    start, length = 0, len(indexed)
    for word in words:
        found = _find(word, indexed)
        if found is not None:
            start = max(0, found - _BEFORE)
            break
    piece = " ".join(indexed[start : start + _LENGTH * 2].replace(_SPACE, "").split())
    if start:
        piece = "…" + piece.partition(" ")[2] if " " in piece[:_BEFORE] else "…" + piece
    if len(piece) > _LENGTH or start + _LENGTH * 2 < length:
        piece = piece[:_LENGTH].rstrip() + "…"
    return "".join(c if c.isprintable() else " " for c in piece)


def _phrase(word: str) -> str:
    """Return the FTS5 phrase for a word, which may have several parts, as `34/24` has."""
    quoted = separated(word).replace('"', '""')
    return f'"{quoted}"*'


def _spellings(word: str) -> list[str]:
    """The word, and with ß for ss and the reverse: the index does not take them for the same."""
    lower = word.lower()
    return [*dict.fromkeys((lower, lower.replace("ss", "ß"), lower.replace("ß", "ss")))]


def _find(word: str, text: str) -> int | None:
    """Where a word, or one with the same beginning, stands in a text."""
    for length in (len(word), max(3, len(word) - 3)):
        beginning = separated(word[:length])
        found = re.search(re.escape(beginning), text, re.IGNORECASE)
        if found:
            return found.start()
    return None
