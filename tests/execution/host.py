"""A small daemon for the tests: runs blocks, repeating what they write until it is killed.

`python -m tests.execution.host LANGUAGE CODE...`
"""

import asyncio
import os
import sys

from oi_daemon.execution import Execution, Workplace
from oi_daemon.messages import Output


async def main(language: str, *blocks: str) -> None:
    execution = Execution(Workplace(cwd=os.getcwd()))  # noqa: PTH109
    try:
        for code in blocks:
            async for chunk in execution.run(language, code):
                if isinstance(chunk, Output):
                    sys.stdout.write(chunk.text)
                    sys.stdout.flush()
    finally:
        await execution.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
