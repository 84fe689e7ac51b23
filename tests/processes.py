"""What tests ask of the system's processes, which may end at any moment."""

import psutil


def command_line(process: psutil.Process) -> list[str]:
    """Its command line; empty if it has ended."""
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
