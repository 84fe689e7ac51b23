"""A small daemon for the tests: runs blocks, repeating what they write until it is killed.

`python -m tests.execution.host LANGUAGE CODE...`, in the sandbox that HOST_SANDBOX names
"""

import asyncio
import os
import sys
from typing import Any, cast

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.sandbox.sandbox import Sandbox
from oi_daemon.messages import Output


async def main(language: str, *blocks: str) -> None:
    cwd, mode = os.getcwd(), cast("Any", os.environ.get("HOST_SANDBOX"))  # noqa: PTH109
    sandbox = Sandbox(mode=mode, folders=(cwd,)) if mode else None
    interpreters = Interpreters(Workplace(cwd=cwd, sandbox=sandbox))
    try:
        for code in blocks:
            async for chunk in interpreters.run(language, code):
                if isinstance(chunk, Output):
                    sys.stdout.write(chunk.text)
                    sys.stdout.flush()
    finally:
        await interpreters.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
