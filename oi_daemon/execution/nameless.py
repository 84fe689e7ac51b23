"""Files without a name, by which a block's text is handed over."""

import os
import tempfile


def nameless_file() -> int:
    """Its descriptor. In memory where the system has such files."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("block")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def write_text(file: int, code: str) -> None:
    """Replace what is in it, and leave it to be read from its start."""
    os.ftruncate(file, 0)
    os.lseek(file, 0, os.SEEK_SET)
    os.pwrite(file, code.encode("utf-8", "replace") + b"\n", 0)
