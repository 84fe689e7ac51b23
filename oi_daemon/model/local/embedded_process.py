"""The process of an embedded model: serves one model file over HTTP until its owner has ended.

`embedded.py` starts it as a program of its own, so that the model can neither block nor crash the
daemon. The first line of its input holds the parameters, and the end of its input means that the
owner has ended. It writes one line, its address, once the model is loaded.
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
    """Serve the model until the owner ends."""
    _kill_with_owner()
    parameters = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_exit_with_owner, daemon=True).start()
    out = os.dup(1)
    os.dup2(2, 1)  # so that what libraries print is not taken for our line
    server = _serve(**parameters)
    os.write(out, json.dumps({"address": server.listening_address}).encode() + b"\n")
    threading.Event().wait()


def _serve(
    *, path: str, api_key: str, threads: int, cores: int, context: int, max_tokens: int
) -> Any:
    """Load the model, serve it on a free port of loopback, and return the server."""
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
    params.cpuparams_batch.n_threads = cores  # reads the prompt, which is the first wait
    params.cache_ram_mib = 256
    return xllamacpp.Server(params)


def _kill_with_owner() -> None:
    """Let the kernel kill this process when its owner ends (on Linux only).

    `_exit_with_owner` is too late while a model is loaded, because that blocks Python's threads.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _exit_with_owner() -> None:
    """Wait for the end of the input, then exit."""
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
