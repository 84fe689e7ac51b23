"""The embedded model's own process: serves one .gguf file over HTTP until its owner is gone.

Started by `embedded.py` as a program of its own, so that the model can neither block nor crash
the daemon. The first line of its input holds the parameters; the end of its input is the end of
its owner. Its one line of output says where it serves, once the model is loaded.
"""

import ctypes
import importlib
import json
import os
import signal
import sys
import threading
from typing import Any

_PR_SET_PDEATHSIG = 1


def main() -> None:
    _die_with_owner()
    parameters = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_watch, daemon=True).start()
    out = os.dup(1)
    os.dup2(2, 1)  # whatever the libraries print must not pass for our line
    server = _serve(**parameters)
    os.write(out, json.dumps({"address": server.listening_address}).encode() + b"\n")
    threading.Event().wait()


def _serve(*, path: str, api_key: str, threads: int, context: int, max_tokens: int) -> Any:
    """Load the model and serve it on a free port of this machine alone."""
    xllamacpp = importlib.import_module("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.port = 0
    params.api_keys = [api_key]
    params.cors_origins = ""
    params.cors_origins_explicit = True
    params.ui = False
    params.endpoint_slots = False
    params.verbosity = 1
    params.n_ctx = context
    params.n_predict = max_tokens
    params.cpuparams.n_threads = threads
    params.cache_ram_mib = 256
    return xllamacpp.Server(params)


def _die_with_owner() -> None:
    """On Linux the kernel sees to it: loading a model holds Python, and `_watch`, for seconds."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
