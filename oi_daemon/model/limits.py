"""Bounds for what a server may send and how long it may take, because a server may mean harm.

An answer that exceeds one of them is stopped, and the error names it.
"""

MEGABYTE = 1 << 20

MAX_EVENT_BYTES = 1 * MEGABYTE
"""Bytes of one event: most hold one token, and a whole answer as one event fits too."""
MAX_ANSWER_BYTES = 64 * MEGABYTE
"""Bytes of one streamed answer after decompression: 128,000 events of 500 bytes."""
MAX_BODY_BYTES = 1 * MEGABYTE
"""Bytes of any other answer after decompression, such as a list of models."""
MAX_ERROR_BYTES = 64 * 1024
"""Most bytes of an error's body that are read; the rest is ignored."""
MAX_ERROR_SECONDS = 10.0
"""Seconds for which an error's body is read; what arrives later is ignored."""
MAX_ANSWER_SECONDS = 3600.0
"""Seconds of one answer, from the request to its end: reasoning models take many minutes."""
MAX_WRITTEN = 1_000_000
"""Characters that a model may write in one reply: about twice what 128,000 tokens of code have."""
SLICE = 16 * 1024
"""Characters of one event that are parsed at once, so that the loop is never held up for long."""
MAX_CALLS = 128
"""Calls in one reply, because OpenAI's models make no more."""
MAX_NAME = 64
"""Characters of a call's name that are kept."""
MAX_BUFFERED_BYTES = 8 * MEGABYTE
"""Bytes that are read ahead while a person decides about a block of code."""
MAX_RETRY_WAIT = 60.0
"""Seconds. If a server asks for a longer wait, the turn ends and the person decides."""
MAX_MALFORMED_CALLS = 3
"""Most replies in a turn that may have unreadable calls; one more ends the turn."""
MAX_ERROR_TEXT = 2_000
"""Characters of a server's error that are kept."""
LONGEST_BUSY = 0.001
"""Seconds for which an answer is read before the loop gets its turn."""
MAX_READ_BYTES = 2048
"""Bytes that are read from a connection at once.

The HTTP library handles them without giving the loop a turn. That takes long if a server sends its
answer in many tiny pieces, or sends many heads with the status 100.
"""


class ServerLimitError(Exception):
    """An answer exceeded one of the bounds. The text says what the server did."""


class RedirectRefusedError(Exception):
    """The server wants the request to be sent to another server; the text names it."""


def in_words(size: int) -> str:
    """Return a number of bytes in words, such as "64 megabytes"."""
    megabytes = size // MEGABYTE
    return "a megabyte" if megabytes == 1 else f"{megabytes} megabytes"


def check_length(part: str, length: int, most: int) -> None:
    """Check that a part of a reply has at most so many characters.

    Args:
        part: what is checked, as an error names it: "it" is the whole reply.

    Raises:
        ServerLimitError: it has more.
    """
    if length > most:
        raise ServerLimitError(f"{part} is longer than {most:,} characters")


def check_calls(count: int) -> None:
    """Check that a reply makes at most `MAX_CALLS` calls.

    Raises:
        ServerLimitError: it makes more.
    """
    if count > MAX_CALLS:
        raise ServerLimitError(f"it makes more than {MAX_CALLS} calls")
