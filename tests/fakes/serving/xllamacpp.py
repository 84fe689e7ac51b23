"""Stands in for xllamacpp where the model's file is only a word for how to behave.

`crash` in the file: loading fails. `slow`: loading never ends. Anything else: it serves, says at
`/v1/parameters` how it was started, and at `/v1/crash` it dies as the real one would.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class CommonParams(SimpleNamespace):
    def __init__(self) -> None:
        super().__init__(
            model=SimpleNamespace(), cpuparams=SimpleNamespace(), cpuparams_batch=SimpleNamespace()
        )


class Server:
    def __init__(self, params: Any) -> None:
        behaviour = Path(params.model.path).read_text(encoding="utf-8")
        if behaviour == "crash":
            sys.stderr.write("E failed to load model\n")
            raise RuntimeError("Failed to init server")
        if behaviour == "slow":
            threading.Event().wait()
        sys.stdout.write("a library that prints\n")
        http = HTTPServer(("127.0.0.1", params.port), _handler(params))
        threading.Thread(target=http.serve_forever, daemon=True).start()
        self.listening_address = f"http://127.0.0.1:{http.server_port}"


def _handler(params: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/v1/crash":
                os.write(2, b"GGML_ASSERT(n > 0) failed\n")
                os.abort()
            allowed = self.headers["Authorization"] == f"Bearer {params.api_keys[0]}"
            body = {"pid": os.getpid(), "threads": params.cpuparams.n_threads} if allowed else {}
            self.send_response(200 if allowed else 401)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            pass

    return Handler
