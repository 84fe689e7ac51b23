"""Runs blocks in a kernel: `python jupyter_worker CONTROL ANSWERS NONCE signal|message COMMAND...`.

`signal` or `message` is how the kernel is interrupted; COMMAND is what starts it. With
`provisioner FOLDER` in place of these, the provisioner that the description there names starts it.
"""

import os
import sys

if __name__ == "__main__":
    # The folder is on the path only for this import: modules beside the worker have the same names
    # as some of the standard library.
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120
    import jupyter_worker  # type: ignore[import-not-found]  # noqa: F401

    del sys.path[0]
    from jupyter_worker.bridge import main  # type: ignore[import-not-found]

    main(*sys.argv[1:])
