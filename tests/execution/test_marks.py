"""The marks in a worker's output are found however its bytes are split."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.execution.process.marks import Kind, Mark, Marks

NONCE = "0123456789abcdef"


def mark(kind: Kind, number: int) -> bytes:
    return b"\x1e%s%s%d\x1f" % (NONCE.encode(), kind.encode(), number)


STREAM = b"".join(
    [
        mark(Kind.LINE, 1),
        b"caf\xc3\xa9\n\x1e\x1f",
        mark(Kind.MESSAGE, 12),
        mark(Kind.LINE, 123456),
        b"\x1e0123456789abcdefL\x1f",
        mark(Kind.END, 7),
    ]
)
MEANING: list[Mark | bytes] = [
    Mark(Kind.LINE, 1),
    b"caf\xc3\xa9\n\x1e\x1f",
    Mark(Kind.MESSAGE, 12),
    Mark(Kind.LINE, 123456),
    b"\x1e0123456789abcdefL\x1f",
    Mark(Kind.END, 7),
]


def parse(*pieces: bytes) -> list[Mark | bytes]:
    """What the pieces mean, neighbouring text joined."""
    marks = Marks(NONCE)
    parts = [part for piece in pieces for part in marks.feed(piece)]
    joined: list[Mark | bytes] = []
    for part in [*parts, marks.flush()]:
        if isinstance(part, bytes) and joined and isinstance(last := joined[-1], bytes):
            joined[-1] = last + part
        elif part:
            joined.append(part)
    return joined


def test_every_split() -> None:
    for first in range(len(STREAM) + 1):
        for second in range(first, len(STREAM) + 1):
            assert parse(STREAM[:first], STREAM[first:second], STREAM[second:]) == MEANING


def test_byte_by_byte() -> None:
    assert parse(*(bytes([byte]) for byte in STREAM)) == MEANING


@pytest.mark.parametrize(
    "text", [b"plain", b"\x1e", b"\x1e0123", b"\x1e0123456789abcdef", b"\x1e" * 99]
)
def test_text_that_only_begins_like_a_mark_is_text(text: bytes) -> None:
    assert parse(text) == [text]


def test_text_never_waits() -> None:
    """What can be no mark is told at once."""
    assert list(Marks(NONCE).feed(b"Password: ")) == [b"Password: "]
    assert list(Marks(NONCE).feed(b"a\x1eb")) == [b"a\x1eb"]


def test_a_mark_with_another_nonce_is_text() -> None:
    forged = b"\x1efedcba9876543210E1\x1f"
    assert parse(forged) == [forged]


@given(
    st.lists(
        st.sampled_from([b"\x1e", b"\x1f", b"0", b"L", b"E", NONCE.encode(), mark(Kind.LINE, 3)])
    )
)
def test_nothing_is_lost(pieces: list[bytes]) -> None:
    parsed = parse(*pieces)
    assert parsed == parse(b"".join(pieces))
    told = [part if isinstance(part, bytes) else mark(part.kind, part.number) for part in parsed]
    assert b"".join(told) == b"".join(pieces)
