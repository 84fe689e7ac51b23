"""Programs that use the library, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.fakes.openai_server import Reply, ThreadedServer, text, tool_call
from tests.patience import PATIENCE

WORDS = (
    *("The", " result", " of", " the", " division", " ", "34", "/", "24", " is"),
    *(" approximately", " ", "1", ".", "42", "."),
)


def code(source: str, language: str = "python") -> Reply:
    return tool_call({"language": language, "code": source})


HELLO = [text("Hello!")]
EXAMPLE = [tool_call(['{"language": "python", "code": "34', " /", " ", "24", '"}']), text(*WORDS)]
SILENT = Reply()


def environment(server: ThreadedServer | None = None) -> dict[str, str]:
    """A program's environment; it finds this model server, and a key for it."""
    own = {} if server is None else {"OPENAI_API_BASE": server.url, "OPENAI_API_KEY": "sk-test-key"}
    return {**os.environ, **own, "NO_COLOR": "1", "PYTHONWARNINGS": "error"}


def run(
    source: str, folder: Path, env: Mapping[str, str], *, stdin: str = "", timeout: float = PATIENCE
) -> subprocess.CompletedProcess[str]:
    """Run a script to its end."""
    script = folder / "script.py"
    script.write_text(source, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=env,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
