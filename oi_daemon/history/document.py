"""A conversation's file: a JSON list of messages in the stored shape, one on each line."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from oi_daemon import files
from oi_daemon.errors import InvalidError
from oi_daemon.messages import Message, dump, load

START = b"[\n"
BETWEEN = b",\n"
END = b"\n]\n"

Shape = Mapping[str, Any]
"""A stored message as a JSON object in a file. It may refer to pictures that are kept beside it."""


class Stamp(NamedTuple):
    """Identifies one state of a file: every write changes at least one of these."""

    mtime_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Self:
        return cls(stat.st_mtime_ns, stat.st_size, stat.st_ino)


class Document(NamedTuple):
    """What a conversation's file held when it was read."""

    messages: list[Message]
    stamp: Stamp
    end: int
    """Number of bytes up to the end of the last message, where more can be added; 0 if another
    program has formatted the file, so that it must be written anew."""


def stamp_of(path: Path) -> Stamp | None:
    """The state of a file; None if there is none."""
    found = files.state(path)
    return found and Stamp.of(found)


def encode(messages: Sequence[Message]) -> bytes:
    """Return the bytes of a whole file. Its displays are inside of it, not kept beside it."""
    shapes = (encode_shape(dump(message, for_file=True)) for message in messages)
    return START + BETWEEN.join(shapes) + END


def encode_shape(shape: Shape) -> bytes:
    """Return a message's shape, or any other JSON object, as one line without its line end."""
    try:
        return msgspec.json.encode(shape)
    except UnicodeEncodeError:  # half of a surrogate pair: valid JSON only as an escape
        return json.dumps(shape).encode()


def read(path: Path, attach: Callable[[Any], Any] = lambda shape: shape) -> Document:
    """Read a conversation's file.

    Args:
        attach: returns a message's shape with the displays that are kept beside the file.

    Raises:
        InvalidError: it does not hold messages.
        OSError: it cannot be read now. That says nothing about what it holds.
    """
    try:
        data, state = files.read(path)
        shapes, end = _decode(data)
        return Document(load([attach(shape) for shape in shapes]), Stamp.of(state), end)
    except files.NotAFileError as error:
        raise InvalidError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"{path} does not hold a conversation: {error}") from error


def decode_shape(data: bytes) -> Any:
    """The value in some JSON text.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):  # other encodings and lone surrogates
        return json.loads(data)


def _decode(data: bytes) -> tuple[Iterable[Any], int]:
    """Return the shapes of a file's messages, and where its last message ends (0: not known).

    A file of ours is decoded line by line: one call for a large file would hold up all threads.
    """
    if data.startswith(START) and data.endswith(END):
        end = len(data) - len(END)
        lines = data[len(START) : end].split(BETWEEN) if end > len(START) else []
        try:
            return [decode_shape(line) for line in lines], end
        except ValueError:
            pass  # another program's layout only looks like ours
    shapes = decode_shape(data)
    if not isinstance(shapes, list):
        raise InvalidError("expected a list of messages")
    return shapes, 0
