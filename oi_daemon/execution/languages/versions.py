"""The versions of the programs that run the languages."""

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

_TIMEOUT = 2.0
"""Seconds that a program has to tell its version. After that, it is asked again next time."""
_NUMBER = re.compile(rb"\d+(\.\d+)+")


class Versions:
    """Asks programs for their version: each once, and again when its file has changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], str | None] = {}
        """Versions by a program's path and the time at which its file was changed."""

    async def version(self, program: str) -> str | None:
        """The version of a program, as in "3.11.7"; None if the program does not tell it."""
        try:
            key = program, _changed(program)
            if key not in self._known:
                self._known[key] = _version_in(await _version_output(program))
        except (OSError, TimeoutError):
            return None
        return self._known[key]


def _changed(program: str) -> int:
    """When the file of a program was changed."""
    return Path(program).stat().st_mtime_ns


async def _version_output(program: str) -> bytes:
    """What the program writes when it is called with `--version`."""
    process = await asyncio.create_subprocess_exec(
        program, "--version", stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    try:
        async with asyncio.timeout(_TIMEOUT):
            output, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return output


def _version_in(output: bytes) -> str | None:
    """The first version number in an output, or None if there is none."""
    found = _NUMBER.search(output)
    return found[0].decode() if found else None
