"""Node's own tests, `test/parallel` of its source (in Debian: the source package `nodejs`).

Left out are those that need flags, start themselves again as a file or a child process, or test
what a block cannot be: the main file, a debugger's target, a snapshot, a REPL.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from fidelity.program import Corpus, Program

UNFIT = re.compile(
    r"// Flags:|__filename|process\.argv|execPath|execArgv|\bfork\(|isMainThread|require\.main"
    r"|require\('(node:)?(cluster|inspector|repl|domain|test|worker_threads|v8|trace_events)"
    r"|process\.(binding|report|abort)|common/(repl|inspector|snapshot|sea)|expectWarning"
)
AT_THE_END = "void process.emit('exit', process.exitCode ?? 0)"
"""Has `common.mustCall` check its counts, which a test does at the end of its process."""


VARYING = re.compile(
    r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT"  # dates
    r"|(block1\.js|/[^ ()]*/test-[^ ()]*\.js)(:\d+)+|block1\.js"  # places in the program
)


def programs(folder: Path) -> Iterator[Program]:
    """The tests that a block can be, in the order of their names."""
    os.environ["NODE_TEST_KNOWN_GLOBALS"] = "0"  # a block's variables are globals
    for file in sorted((folder / "test/parallel").glob("test-*.js")):
        code = file.read_text(errors="replace")
        if not UNFIT.search(code):
            yield Program(
                file.stem, f"{code}\nvoid 0", ("node", str(file)), file.parent, AT_THE_END
            )


def normalized(output: str) -> str:
    """The output without dates, and without places in stack traces, which name the file."""
    return VARYING.sub("...", output)


CORPUS = Corpus("javascript", programs, normalized)
