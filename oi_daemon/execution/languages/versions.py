"""The versions of interpreters, asked of themselves."""

import asyncio
import re
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

_TIMEOUT = 2.0
"""Seconds. Who does not answer in time is asked again next time."""
_NUMBER = re.compile(rb"\d+(\.\d+)+")


class Versions:
    """Each program is asked once, and again when its file has changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], str | None] = {}

    async def version(self, program: str) -> str | None:
        """As in "3.11.7"; None if the program does not say."""
        try:
            key = program, _changed(program)
            if key not in self._known:
                self._known[key] = _number(await _said(program))
        except (OSError, TimeoutError):
            return None
        return self._known[key]


def _changed(program: str) -> int:
    return Path(program).stat().st_mtime_ns


async def _said(program: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        program, "--version", stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    try:
        async with asyncio.timeout(_TIMEOUT):
            said, _ = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return said


def _number(said: bytes) -> str | None:
    found = _NUMBER.search(said)
    return found[0].decode() if found else None
