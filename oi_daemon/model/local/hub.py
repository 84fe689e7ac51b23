"""Gets the model file from the Hugging Face Hub, with the `huggingface_hub` package.

The package runs in a process of its own, so that it can be killed where the network is silent.
"""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

from oi_daemon.model.local.downloader import run_downloader
from oi_daemon.model.local.model_file import ModelFile

LONGEST_SILENCE = 60.0
"""Seconds without a new megabyte after which the hub is given up.

A hub that cannot be reached is given up earlier, by the time-outs of the process itself.
"""

_PROGRAM = (sys.executable, "-P", str(Path(__file__).with_name("hub_process.py")))
"""Command of the process. The module is run by its path, so that the package is not imported."""


class HubError(Exception):
    """The file cannot be had from the hub now; the text says why."""


def hub_is_installed() -> bool:
    """Return whether the `huggingface_hub` package is there."""
    return importlib.util.find_spec("huggingface_hub") is not None


def hub_download(
    model: ModelFile,
    report: Callable[[int], None],
    *,
    longest_silence: float = LONGEST_SILENCE,
) -> None:
    """Append what is missing to the partial file.

    Args:
        report: called with the bytes that have arrived.

    Raises:
        HubError: the hub cannot be reached, was silent for too long, or has another file.
    """
    partial = model.partial_path
    error = run_downloader(
        [*_PROGRAM, model.repository, model.name, model.sha256, str(partial)],
        lambda: partial.stat().st_size,
        report,
        environ={"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_UPDATE_CHECK": "1"},
        longest_silence=longest_silence,
    )
    if error is not None:
        raise HubError(error.removeprefix("ERROR: "))
