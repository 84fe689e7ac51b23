"""Starts the worker: `python -X utf8 python_worker/__main__.py CONTROL ANSWERS NONCE FOLDER`.

This file runs under the user's own Python, so its syntax must be valid in every version of Python.
"""

import os
import sys

if sys.version_info < (3, 8):  # noqa: UP036
    sys.stderr.write(
        "%s is Python %d.%d, but 3.8 is needed: name another one in the setting `python`.\n"  # noqa: UP031
        % (sys.executable, sys.version_info[0], sys.version_info[1])
    )
    sys.exit(1)

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120

from python_worker.loop import main  # type: ignore[import-not-found]  # noqa: E402

main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
