"""R: a persistent R that runs `boot.R`, under the user's own installation."""

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path

from oi_daemon.execution.child import Program
from oi_daemon.execution.environment import environment, find_python
from oi_daemon.execution.language import NotInstalledError, Workplace
from oi_daemon.execution.nameless import nameless_file, write_text
from oi_daemon.execution.worker import Dialect, Worker

_BOOT = Path(__file__).with_name("boot.R")


class R(Worker):
    """R at this workplace. Its blocks are handed over in a file without a name."""

    def __init__(self, workplace: Workplace) -> None:
        super().__init__(Dialect(name="R", program=self._program, request=self._request), workplace)
        self._place = workplace
        self._source = -1
        self._clean: Callable[[], object] = lambda: None

    async def close(self) -> None:
        await super().close()
        self._clean()

    def _program(self) -> Program:
        path = shutil.which("R")
        if path is None:
            raise NotInstalledError(missing() or "")
        environ = environment(find_python(self._place.python, os.environ), os.environ)
        source = self._source = nameless_file()

        def command(control: int, answers: int, nonce: str) -> list[str]:
            given = f"OI_R={nonce} {control} {answers} {source}"
            return ["env", given, path, "--no-echo", "--no-save", "--no-restore", f"--file={_BOOT}"]

        return Program(
            command=command,
            environment={
                **_with_characters(environ),
                "OI_TMPDIR": environ.get("TMPDIR", ""),
                "TMPDIR": self._folder(),
            },
            cwd=self._place.cwd,
            descriptors=(source,),
        )

    def _folder(self) -> str:
        """For R's own temporary files, of which a killed R leaves some."""
        self._clean()
        folder = tempfile.mkdtemp(prefix="oi-r-")
        self._clean = weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return folder

    def _request(self, number: int, code: str) -> bytes:
        write_text(self._source, code)
        return b"%d\n" % number


def missing() -> str | None:
    """Why there is no R here."""
    if shutil.which("R") is None:
        return "R is not installed (on Debian and Ubuntu: apt install r-base-core)."
    return None if shutil.which("bash") else "R needs bash beside it, which is not installed."


def path(workplace: Workplace) -> str | None:
    return shutil.which("R")


def _with_characters(environ: Mapping[str, str]) -> dict[str, str]:
    """The same, in which R can write any character."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if locale not in ("C", "POSIX"):
        return dict(environ)
    return {**environ, "LC_ALL": "", "LC_CTYPE": "C.UTF-8"}
