"""A conversation's file: a JSON list of messages in the stored shape, one on a line."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec

from oi_daemon.errors import InvalidError
from oi_daemon.messages import Message, dump, load


class Stamp(NamedTuple):
    """What tells one state of a file from another."""

    mtime_ns: int
    size: int
    inode: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Self:
        return cls(stat.st_mtime_ns, stat.st_size, stat.st_ino)


def encode(messages: Sequence[Message]) -> bytes:
    shapes = (_encode_shape(dump(message, for_file=True)) for message in messages)
    return b"[\n" + b",\n".join(shapes) + b"\n]\n"


def read(path: Path) -> tuple[list[Message], Stamp]:
    """The messages in a file, and the state in which it held them.

    Raises:
        InvalidError: it cannot be read, or does not hold messages.
    """
    try:
        with path.open("rb") as file:
            stamp = Stamp.of(os.fstat(file.fileno()))
            return load(_decode(file.read())), stamp
    except OSError as error:
        raise InvalidError(f"{path} cannot be read: {error.strerror}") from error
    except (InvalidError, ValueError, RecursionError) as error:
        raise InvalidError(f"{path} does not hold a conversation: {error}") from error


def _encode_shape(shape: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(shape)
    except UnicodeEncodeError:  # half of a surrogate pair: valid JSON only as an escape
        return json.dumps(shape).encode()


def _decode(data: bytes) -> Any:
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):  # other encodings and lone surrogates
        return json.loads(data)
