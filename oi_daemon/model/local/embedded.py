"""A .gguf file as the model, served by a child process that the daemon owns.

The child listens on loopback with a key that only we know, and dies with us. It is not the model's
client: requests go to `api_base` like to any other server.
"""

import asyncio
import importlib.util
import json
import logging
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from oi_daemon.errors import ConnectionLostError, NoModelError
from oi_daemon.model.local.compact import GRAMMAR

logger = logging.getLogger(__name__)

CONTEXT_WINDOW = 8192
MAX_TOKENS = 1024
"""Most tokens of one reply: a small model may never come to an end."""

_PROGRAM = (sys.executable, "-P", str(Path(__file__).with_name("embedded_process.py")))
"""Run by path, so that the child loads nothing of ours but this one file."""


class EmbeddedServer:
    """One .gguf file. `start` it before each turn: it does nothing while the child is well."""

    extra_body: Mapping[str, Any] = {"grammar": GRAMMAR}
    """What each request must carry besides the conversation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path.stem
        self.api_key = secrets.token_urlsafe(24)
        self._address = ""
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[None] | None = None
        self._said = b""
        self._lock = asyncio.Lock()

    @property
    def api_base(self) -> str:
        return f"{self._address}/v1"

    async def start(self) -> None:
        """Return once the model is loaded and answers. A child that died is replaced.

        Raises:
            NoModelError: the file or the program that serves it is not there.
            ConnectionLostError: the child died while it loaded the model.
        """
        async with self._lock:
            if self._process is not None and self._process.returncode is None:
                return
            if reason := await self._reason():
                logger.warning("%s It is started again.", reason)
            await self._end()
            self._check()
            try:
                await self._launch()
            except BaseException:
                await self._end()
                raise

    async def failure(self) -> ConnectionLostError | None:
        """Why requests do not get through, if it is because the child has died."""
        reason = await self._reason()
        return ConnectionLostError(f"{reason} Ask again: it is started anew.") if reason else None

    async def close(self) -> None:
        """End the child."""
        async with self._lock:
            await self._end()

    def _check(self) -> None:
        if not self.path.is_file():
            raise NoModelError(f"There is no model file {self.path}: check the setting model.")
        if importlib.util.find_spec("xllamacpp") is None:
            raise NoModelError(
                "A model file is served by xllamacpp, which is not installed."
                ' Install it with: pip install "oi-daemon[local]"'
            )

    async def _launch(self) -> None:
        logger.info("loading the model %s", self.path)
        self._said = b""
        process = self._process = await asyncio.create_subprocess_exec(
            *_PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in a terminal is not for it
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._draining = asyncio.create_task(self._drain(process.stderr))
        process.stdin.write(json.dumps(self._parameters()).encode() + b"\n")
        line = await process.stdout.readline()
        if not line:
            raise ConnectionLostError(f"{await self._reason()} Is {self.path} a GGUF model?")
        self._address = json.loads(line)["address"]
        logger.info("the model is loaded: %s", self._address)

    def _parameters(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "api_key": self.api_key,
            "threads": max(1, _cores() - 1),
            "context": CONTEXT_WINDOW,
            "max_tokens": MAX_TOKENS,
        }

    async def _drain(self, stderr: asyncio.StreamReader) -> None:
        """Keep the last of what it says, for the day it dies."""
        while data := await stderr.read(4096):
            logger.debug("embedded model: %s", data.decode(errors="replace").rstrip())
            self._said = (self._said + data)[-2000:]

    async def _reason(self) -> str | None:
        """Why the child died; None while it lives, or when there was none.

        A connection breaks a moment before its process is seen to have ended: wait that moment.
        """
        process, draining = self._process, self._draining
        if process is None or draining is None:
            return None
        try:
            await asyncio.wait_for(process.wait(), 0.5)
        except TimeoutError:
            return None
        await asyncio.wait([draining], timeout=0.5)
        last = self._said.decode(errors="replace").strip().splitlines()[-3:]
        said = f", saying: {' / '.join(last)}" if last else ""
        return f"The embedded model stopped ({_death(process.returncode)}){said}."

    async def _end(self) -> None:
        """It holds no state worth a farewell."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
        if self._draining is not None:
            await self._draining
        self._process = self._draining = None


def _cores() -> int:
    """Those that we may use, in a container too."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _death(code: int | None) -> str:
    if code == -signal.SIGKILL:
        return "killed; perhaps the machine ran out of memory"
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
