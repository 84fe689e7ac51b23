"""The reasoning of a reply, in the fields in which it has to go back to the server."""

from collections.abc import Mapping
from io import StringIO
from typing import Any

from oi_daemon.model.dialects.deltas import Delta
from oi_daemon.model.limits import MAX_WRITTEN, check_length

REASONING_FIELDS = ("reasoning_content", "reasoning")
"""Names under which servers send a reply's reasoning as text."""


class ReasoningFields:
    """Collects the reasoning of one reply while it streams."""

    def __init__(self) -> None:
        self._texts: dict[str, StringIO] = {}
        """The reasoning so far, by the name of the field in which it came."""
        self._details: list[dict[str, Any]] = []
        """OpenRouter's objects so far. Objects that continue one text are joined to one object."""
        self._size = 0
        """Characters of the reasoning so far."""

    def add(self, delta: Delta) -> None:
        """Keep what this delta adds.

        Raises:
            ServerLimitError: the reasoning is too long.
        """
        for name in REASONING_FIELDS:
            text = getattr(delta, name)
            if isinstance(text, str) and text:
                self._texts.setdefault(name, StringIO()).write(text)
                self._count(len(text))
        if isinstance(delta.reasoning_details, list):
            for detail in delta.reasoning_details:
                if isinstance(detail, dict):
                    self._add_detail(detail)

    def fields(self) -> dict[str, Any]:
        """Return the fields of the assistant's message that hold the reasoning."""
        if self._details:
            return {"reasoning_details": [_joined(each) for each in self._details]}
        return {name: text.getvalue() for name, text in self._texts.items()}

    def _add_detail(self, detail: Mapping[str, Any]) -> None:
        """Keep one of OpenRouter's objects; one that continues the latest is joined to it."""
        pieces = {name: [text] for name in _PIECES if isinstance(text := detail.get(name), str)}
        self._count(sum(len(text) for texts in pieces.values() for text in texts) + _OBJECT_SIZE)
        last = self._details[-1] if self._details else {}
        same = all(last.get(name) == detail.get(name) for name in ("type", "index"))
        if not (same and last and pieces):
            self._details.append({**detail, **pieces})
            return
        for name, texts in pieces.items():
            last.setdefault(name, []).extend(texts)
        rest = {k: v for k, v in detail.items() if k not in pieces and v is not None}
        last.update(rest)

    def _count(self, size: int) -> None:
        """Add to the size of the reasoning.

        Raises:
            ServerLimitError: the reasoning is too long.
        """
        self._size += size
        check_length("its reasoning", self._size, MAX_WRITTEN)


_PIECES = ("text", "summary")
"""Fields of OpenRouter's objects whose text comes in pieces. `_details` holds lists of these
pieces, which `_joined` joins at the end."""
_OBJECT_SIZE = 32
"""Characters that one of OpenRouter's objects counts as, besides those of its text."""


def _joined(detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the object with the pieces of its text joined."""
    return {k: "".join(v) if k in _PIECES and isinstance(v, list) else v for k, v in detail.items()}
