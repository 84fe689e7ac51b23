"""A prompt's parts as a message to the model: words, and the files and pictures that come along."""

import base64
import binascii
import mimetypes
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from oi_daemon.errors import DiskError, InvalidError
from oi_daemon.messages.text import fenced
from oi_daemon.server.acp.types import PromptBlock, ResourceData

_MOST_TEXT = 50_000
"""Most characters of an embedded file that stand in the message. A longer one is saved."""


class Attachments:
    """Saves what a message cannot hold in a private folder, and names it to the model."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._saved = 0
        """Number of files in the folder."""

    def message(self, prompt: Sequence[PromptBlock]) -> str:
        """Return the message to the model.

        Raises:
            InvalidError: a part is of a type that was not offered, or cannot be read.
            DiskError: a file cannot be saved.
        """
        words: list[str] = []
        attached: list[str] = []
        for block in prompt:
            match block.type:
                case "text":
                    words.append(block.text)
                case "resource_link":
                    words.append(f"`{_path(block.uri or '') or block.name}`")
                case "image":
                    attached.append(self._picture(block))
                case "resource" if block.resource:
                    words.append(f"`{_path(block.resource.uri)}`")
                    attached.append(self._resource(block.resource))
                case _:
                    raise InvalidError(f"prompt: content of type {block.type} is not supported")
        return "\n\n".join(["".join(words).strip(), *attached]).strip()

    def remove(self) -> None:
        """Delete what was saved."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _picture(self, block: PromptBlock) -> str:
        mime = block.mime_type or "image/png"
        path = self._save(_decoded(block.data), f"picture{_suffix(mime)}")
        return (
            f"[The person has attached a picture ({mime}). It is in the file `{path}`. To see it,"
            " display it by code.]"
        )

    def _resource(self, resource: ResourceData) -> str:
        name = _path(resource.uri)
        if resource.text is not None and len(resource.text) <= _MOST_TEXT:
            return f"[The file `{name}`:]\n{fenced(resource.text)}"
        if resource.text is not None:
            data = resource.text.encode("utf-8", "replace")
        else:
            data = _decoded(resource.blob or "")
        path = self._save(data, PurePosixPath(name).name or "file")
        return f"[What the person has attached as `{name}` is in the file `{path}`.]"

    def _save(self, data: bytes, name: str) -> Path:
        try:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="oi-attached-"))
            self._saved += 1
            path = self._folder / f"{self._saved}-{name[-100:]}"
            path.write_bytes(data)
        except (OSError, ValueError) as error:
            raise DiskError(f"What was attached cannot be saved: {error}") from error
        return path


def _path(uri: str) -> str:
    """Return the path of a `file:` URI; any other URI as it is."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def _suffix(mime: str) -> str:
    return mimetypes.guess_extension(mime) or ""


def _decoded(data: str) -> bytes:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidError(f"prompt: data is not base64: {error}") from error
