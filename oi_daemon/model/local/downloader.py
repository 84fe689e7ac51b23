"""Runs a program that downloads something, and reports how much has arrived."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

POLL_INTERVAL = 0.5
"""Seconds between two measurements."""


def run_downloader(
    command: list[str],
    measure: Callable[[], int],
    report: Callable[[int], None],
    *,
    environ: Mapping[str, str],
    longest_silence: float = float("inf"),
) -> str | None:
    """Run the program to its end. Return None if it succeeded, else its last error.

    Args:
        measure: returns the bytes that have arrived.
        report: called with these bytes while the program runs.
        environ: variables that are added to the environment.
        longest_silence: seconds without a new byte after which the program is killed.
    """
    with subprocess.Popen(
        command,
        env=os.environ | dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        size, changed = 0, time.monotonic()
        try:
            while True:
                try:
                    _, stderr = process.communicate(timeout=POLL_INTERVAL)
                    break
                except subprocess.TimeoutExpired:
                    pass
                if (arrived := measure()) != size:
                    size, changed = arrived, time.monotonic()
                    report(size)
                elif time.monotonic() - changed > longest_silence:
                    process.kill()
                    return f"nothing arrived for {longest_silence:g} seconds"
        except BaseException:
            process.kill()
            raise
    return None if process.returncode == 0 else _last_error(stderr, process.returncode)


def bytes_in(folder: Path) -> int:
    """Return the size of all files in the folder."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:  # because the program has moved it meanwhile
            pass
    return total


def _last_error(stderr: str, code: int) -> str:
    """Return the program's last line that begins with ERROR, or else the end of what it wrote."""
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    return errors[-1] if errors else stderr.strip()[-300:] or f"it ended with {code}"
