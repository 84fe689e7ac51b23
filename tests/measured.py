"""Counts for coverage what runs in the daemons and terminals that tests start.

Only where OI_TEST_COVERAGE is set, as by `scripts/test`, because it makes them slower. What they
start in turn, the workers of the languages, is not measured.
"""

import os
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_RUN = (
    *(sys.executable, "-m", "coverage", "run", "--parallel-mode"),
    f"--rcfile={_ROOT / 'pyproject.toml'}",
    f"--data-file={_ROOT / '.coverage/data'}",
)

MEASURED: tuple[str, ...] = _RUN if "OI_TEST_COVERAGE" in os.environ else ()
"""What a command begins with so that its program is measured; empty where nothing is."""
