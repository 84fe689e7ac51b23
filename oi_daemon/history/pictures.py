"""Pictures and other large displays, kept in files of their own beside the conversations.

A file is named by the hash of what it holds, so the same picture is stored once. In a
conversation's file, `{"$file": name}` stands in the place of the data.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from oi_daemon import files
from oi_daemon.history.document import Shape, decode_shape, encode_shape
from oi_daemon.messages import AssistantMessage, Message

_LARGE = 4096
"""Characters of data from which on a file of its own is worth it."""

_REFERENCE = "$file"
_NAME = re.compile(r"[0-9a-f]{64}\.[a-z0-9]{1,8}")
_NAMES = re.compile(_NAME.pattern.encode())
_TYPES = {
    "application/pdf": "pdf",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/tiff": "tiff",
    "image/webp": "webp",
}
"""Binary MIME type -> suffix. Their base64 text is decoded, so that a person can open the file."""


class Picture(NamedTuple):
    """A file to be kept beside the conversations."""

    name: str
    data: bytes


class Pictures:
    """The folder of these files. Its methods that write are for holders of the folder's lock."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Store these; return when they survive a loss of power.

        Raises:
            OSError: one cannot be written.
        """
        missing = {it.name: it.data for it in pictures if not files.state(self._folder / it.name)}
        if not missing:
            return
        files.make_private(self._folder, durable=True)
        for name, data in missing.items():
            files.write_private(self._folder / name, data, durable=True)

    def attach(self, shape: Any) -> Any:
        """A message's shape with its displays put back; data whose file is missing is left out.

        Raises:
            OSError: a file is there, but cannot be read now.
        """
        if not isinstance(shape, Mapping) or not isinstance(shape.get("displays"), list):
            return shape
        return {**shape, "displays": [self._attached(bundle) for bundle in shape["displays"]]}

    def put_back(self, message: Message) -> Message:
        """A message with the data in its displays that they refer to. Raises as `attach` does."""
        if isinstance(message, AssistantMessage) or not message.displays:
            return message
        return replace(message, displays=tuple(map(self._attached, message.displays)))

    def remove_all_but(self, used: set[str]) -> None:
        """Remove the pictures that no conversation uses any more."""
        for entry in files.entries(self._folder):
            if entry.name not in used and _NAME.fullmatch(entry.name):
                files.remove(self._folder / entry.name)
        files.remove_folder(self._folder)

    def exist(self) -> bool:
        """Whether any picture has been kept."""
        return files.state(self._folder) is not None

    def _attached(self, bundle: Any) -> Any:
        if not isinstance(bundle, Mapping):
            return bundle
        read = ((mime, self._value(value)) for mime, value in bundle.items())
        return {mime: value for mime, value in read if value is not None}

    def _value(self, value: Any) -> Any:
        """The data that a reference stands for, None if it is missing; other values as they are."""
        name = _referred(value)
        if name is None:
            return value
        try:
            data, _ = files.read(self._folder / name)
            return _from_bytes(name, data)
        except (FileNotFoundError, files.NotAFileError, ValueError, LookupError, TypeError):
            return None


def detach(shape: Shape) -> tuple[Shape, list[Picture]]:
    """A message's shape with references in the place of large displays, and the files for them."""
    if "displays" not in shape:
        return shape, []
    pictures: list[Picture] = []
    displays = [dict(_detached(bundle, pictures)) for bundle in shape["displays"]]
    return {**shape, "displays": displays}, pictures


def collector(names: set[str]) -> Callable[[Any], Any]:
    """A function that returns a message's shape as it is, and adds its pictures to these names."""

    def collect(shape: Any) -> Any:
        displays = shape.get("displays") if isinstance(shape, Mapping) else None
        for bundle in displays if isinstance(displays, list) else []:
            values = bundle.values() if isinstance(bundle, Mapping) else ()
            names.update(filter(None, map(_referred, values)))
        return shape

    return collect


def names_in_text(path: Path) -> set[str]:
    """The names of all pictures that a file which cannot be decoded may refer to.

    Raises:
        OSError: the file cannot be read now.
    """
    try:
        data, _ = files.read(path)
    except files.NotAFileError:
        return set()
    return {name.decode() for name in _NAMES.findall(data)}


def _detached(bundle: Mapping[str, Any], pictures: list[Picture]) -> Iterator[tuple[str, Any]]:
    for mime, value in bundle.items():
        picture = _picture(mime, value)
        if picture is None:
            yield mime, value
        else:
            pictures.append(picture)
            yield mime, {_REFERENCE: picture.name}


def _picture(mime: str, value: Any) -> Picture | None:
    """The file for a display's data; None if the data is small enough to stay where it is."""
    if isinstance(value, str):
        if len(value) < _LARGE:
            return None
        data, suffix = _to_bytes(mime, value)
    elif isinstance(value, dict | list):
        data, suffix = encode_shape({"data": value}), "json"
        if len(data) < _LARGE and _referred(value) is None:
            return None
    else:
        return None
    return Picture(f"{hashlib.sha256(data).hexdigest()}.{suffix}", data)


def _to_bytes(mime: str, text: str) -> tuple[bytes, str]:
    """Return the bytes to store for a display's text, and the suffix that says their format."""
    if mime in _TYPES:
        try:
            data = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if base64.b64encode(data).decode() == text:
            return data, _TYPES[mime]
    return text.encode(errors="surrogatepass"), "txt"


def _from_bytes(name: str, data: bytes) -> Any:
    """What `_picture` has made the bytes of.

    Raises:
        ValueError: the file holds something else.
    """
    match name.rpartition(".")[2]:
        case "txt":
            return data.decode(errors="surrogatepass")
        case "json":
            return decode_shape(data)["data"]
        case _:
            return base64.b64encode(data).decode()


def _referred(value: Any) -> str | None:
    """The name of the file that a value refers to; None if it is data itself."""
    if isinstance(value, Mapping) and value.keys() == {_REFERENCE}:
        name = value[_REFERENCE]
        if isinstance(name, str) and _NAME.fullmatch(name):
            return name
    return None
