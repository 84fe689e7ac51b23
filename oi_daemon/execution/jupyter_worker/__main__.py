"""Runs blocks: `python jupyter_worker CONTROL ANSWERS NONCE signal|message COMMAND...`."""

import os
import sys

if __name__ == "__main__":
    # Beside this folder are modules that are named as some of the standard library are.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    import jupyter_worker  # type: ignore[import-not-found]  # noqa: F401

    del sys.path[0]
    from jupyter_worker.bridge import main  # type: ignore[import-not-found]

    main(*sys.argv[1:])
