"""CPython's own tests, the package `test` of an installed Python, each file as a whole.

Left out are those that start themselves again as a file, or test what a block cannot be: the main
file, an interactive prompt, the first thread or a fresh interpreter.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from fidelity.program import Corpus, Program

UNFIT = re.compile(
    r"assert_python_|script_helper|__file__|run_in_subinterp|_testinternalcapi|requires_resource"
    r"|sys\.settrace|@support\.bigmemtest|if __name__ != .__main__"
)
VARYING = re.compile(r"in \d+\.\d+s|0x[0-9a-f]+|<block \d+>|SystemExit: .*\n|\"/[^\"]*\.py\"")


def programs(folder: Path) -> Iterator[Program]:
    """The tests that end in a call of `unittest.main`, in the order of their names."""
    for file in sorted(folder.glob("test_*.py")):
        code = file.read_text(errors="replace")
        if "unittest.main()" in code and not UNFIT.search(code):
            yield Program(file.stem, code, (sys.executable, str(file)), Path.cwd())


def normalized(output: str) -> str:
    """The output without times, addresses, names of files and exit codes."""
    return VARYING.sub("...", output)


CORPUS = Corpus("python", programs, normalized)
