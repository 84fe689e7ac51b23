"""Files that go with a person's words: text in a fence, pictures as such, others by their path."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from oi_daemon.errors import InvalidError, InvalidTypeError
from oi_daemon.messages.text import fenced

MOST_TEXT = 50_000
"""Most characters of a text file that the model is given; of a longer one, it gets the path."""
MOST_PICTURE = 3_500_000
"""Most bytes of a picture that the model is given, because servers take no more."""
_SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8": "image/jpeg", b"GIF8": "image/gif"}
"""MIME types of pictures, by the bytes that their files begin with."""


@dataclass(frozen=True, slots=True)
class AttachedFiles:
    """What goes to the model with a person's words."""

    texts: Sequence[str]
    """A paragraph for each file."""
    displays: Sequence[dict[str, Any]]
    """The pictures, as MIME bundles."""

    def added_to(self, message: str) -> str:
        """Return the words with the paragraphs after them."""
        return "\n\n".join([message, *self.texts])


def read_files(files: Iterable[str | PathLike[str]]) -> AttachedFiles:
    """Read the files that a person attaches.

    Raises:
        InvalidError: one of them is not there, or cannot be read.
    """
    if isinstance(files, str | PathLike) or not isinstance(files, Iterable):
        raise InvalidTypeError("files: expected a list of paths, as in files=['data.csv']")
    texts: list[str] = []
    displays: list[dict[str, Any]] = []
    for number, file in enumerate(files):
        if not isinstance(file, str | PathLike):
            kind = type(file).__name__
            raise InvalidTypeError(f"files[{number}]: expected a path, not {kind}")
        path = Path(file).expanduser().absolute()
        data = _read(path, number)
        mime = next((it for head, it in _SIGNATURES.items() if data.startswith(head)), None)
        if mime is not None and len(data) <= MOST_PICTURE:
            texts.append(f"[The person has attached a picture. It is in the file `{path}`.]")
            displays.append({mime: base64.b64encode(data).decode()})
        else:
            texts.append(_text(path, data))
    return AttachedFiles(texts, displays)


def _read(path: Path, number: int) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidError(f"files[{number}]: {path} cannot be read: {error.strerror}") from error


def _text(path: Path, data: bytes) -> str:
    """A file's text in a fence; where it has none, or too much, where it is."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text or len(text) > MOST_TEXT:
        return f"[The person has attached the file `{path}` ({_size(len(data))}). Read it by code.]"
    return f"[The person has attached the file `{path}`:]\n{fenced(text)}"


def _size(bytes: int) -> str:
    """A number of bytes in words."""
    if bytes < 10_000:
        return f"{bytes} bytes"
    return f"{bytes / 1e6:.1f} MB" if bytes >= 1e6 else f"{bytes // 1000} kB"
