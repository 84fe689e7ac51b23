"""A model file (.gguf), served by a child process that the daemon owns.

The child listens on loopback with a key that only the daemon knows, and ends when the daemon ends.
This module only starts and ends it: requests go to its `api_base` as to any other server.
"""

import asyncio
import importlib.util
import json
import logging
import os
import secrets
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from oi_daemon.errors import ConnectionLostError, NoModelError
from oi_daemon.model.context_window import EMBEDDED_WINDOW
from oi_daemon.model.local.compact import GRAMMAR

logger = logging.getLogger(__name__)

MAX_TOKENS = 1024
"""Most tokens of one reply, because a small model may repeat itself without end."""

_PROGRAM = (sys.executable, "-P", str(Path(__file__).with_name("embedded_process.py")))
"""Command of the child. The module is run by its path, so that the package is not imported."""


OnLoad: TypeAlias = Callable[[str], None]
"""Is told the name of a model that is about to be loaded."""


class EmbeddedServer:
    """One model file and its child process. Call `start` before each turn."""

    extra_body: Mapping[str, Any] = {"grammar": GRAMMAR}
    """Parameters that every request must carry."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = path.stem
        self.api_key = secrets.token_urlsafe(24)
        self._address = ""
        """URL of the child without its path; empty before the first start."""
        self._process: asyncio.subprocess.Process | None = None
        self._stderr_task: asyncio.Task[None] | None = None
        """Reads the child's stderr until its end."""
        self._stderr_tail = b""
        """The last 2,000 bytes that the child wrote to stderr."""
        self._lock = asyncio.Lock()

    @property
    def api_base(self) -> str:
        """URL for requests. It changes when the child is started again."""
        return f"{self._address}/v1"

    async def start(self, on_load: OnLoad | None = None) -> None:
        """Start the child, unless it runs, and return once the model is loaded.

        A child that died is started again.

        Args:
            on_load: called before the model is loaded, with its name; not if the child runs.

        Raises:
            NoModelError: the file, or the package that serves it, is not there.
            ConnectionLostError: the child died while it loaded the model.
        """
        async with self._lock:
            if self._process is not None and self._process.returncode is None:
                return
            if reason := await self._reason_of_death():
                logger.warning("%s It is started again.", reason)
            await self._end()
            self._check()
            if on_load is not None:
                on_load(self.model)
            try:
                await self._launch()
            except BaseException:
                await self._end()
                raise

    async def failure(self) -> ConnectionLostError | None:
        """Return the error for a person if the child has died; None if it runs."""
        reason = await self._reason_of_death()
        return ConnectionLostError(f"{reason} Ask again: it is started again.") if reason else None

    async def close(self) -> None:
        """End the child."""
        async with self._lock:
            await self._end()

    def _check(self) -> None:
        """Check that the model can be served.

        Raises:
            NoModelError: the file, or the package that serves it, is not there.
        """
        if not self.path.is_file():
            raise NoModelError(f"There is no model file {self.path}: check the setting model.")
        if importlib.util.find_spec("xllamacpp") is None:
            raise NoModelError(
                "A model file is served by xllamacpp, which is not installed."
                ' Install it with: pip install "oi-daemon[local]"'
            )

    async def _launch(self) -> None:
        """Start the child and wait until it writes its address, once the model is loaded."""
        logger.info("loading the model %s", self.path)
        self._stderr_tail = b""
        process = self._process = await asyncio.create_subprocess_exec(
            *_PROGRAM,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # so that Ctrl-C in a terminal does not reach it
        )
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stderr_task = asyncio.create_task(self._read_stderr(process.stderr))
        process.stdin.write(json.dumps(self._parameters()).encode() + b"\n")
        line = await process.stdout.readline()
        if not line:
            raise ConnectionLostError(
                f"{await self._reason_of_death()} Is {self.path} a GGUF model?"
            )
        self._address = json.loads(line)["address"]
        logger.info("the model is loaded: %s", self._address)

    def _parameters(self) -> dict[str, Any]:
        """Return the parameters that the child reads from its first line of input."""
        return {
            "path": str(self.path),
            "api_key": self.api_key,
            "threads": max(1, _cores() - 1),
            "cores": _cores(),
            "context": EMBEDDED_WINDOW,
            "max_tokens": MAX_TOKENS,
        }

    async def _read_stderr(self, stderr: asyncio.StreamReader) -> None:
        """Keep the last lines of stderr, to say why the child died."""
        while data := await stderr.read(4096):
            logger.debug("embedded model: %s", data.decode(errors="replace").rstrip())
            self._stderr_tail = (self._stderr_tail + data)[-2000:]

    async def _reason_of_death(self) -> str | None:
        """Return why the child died; None while it runs, or if there is none.

        Waits up to half a second, because a connection breaks before the process has ended.
        """
        process, stderr_task = self._process, self._stderr_task
        if process is None or stderr_task is None:
            return None
        try:
            await asyncio.wait_for(process.wait(), 0.5)
        except TimeoutError:
            return None
        await asyncio.wait([stderr_task], timeout=0.5)
        last = self._stderr_tail.decode(errors="replace").strip().splitlines()[-3:]
        words = f", saying: {' / '.join(last)}" if last else ""
        return f"The embedded model stopped ({_death(process.returncode)}){words}."

    async def _end(self) -> None:
        """Kill the child, which has no state to save."""
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
        if self._stderr_task is not None:
            await self._stderr_task
        self._process = self._stderr_task = None


def _cores() -> int:
    """Return the number of processors that this process may use, also in a container."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _death(code: int | None) -> str:
    """Return what an exit code means, in words."""
    if code == -signal.SIGKILL:
        return "killed; perhaps the machine ran out of memory"
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"
