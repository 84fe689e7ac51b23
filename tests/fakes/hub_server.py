"""A scripted Hugging Face Hub on loopback that has one file in every repository."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class HubServer:
    """Answers HEAD and GET of the file, also of its end alone. Its attributes may be changed."""

    def __init__(self, content: bytes) -> None:
        self.replace(content)
        self.stop_after: int | None = None
        """Sends this many bytes of a file, then nothing more; None: sends all."""
        self.methods: list[str] = []
        self.heads: list[str] = []
        """Request line and headers of all requests."""
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True

    def replace(self, content: bytes) -> None:
        """Have another file; `checksum` is what the server says that its SHA-256 is."""
        self.content = content
        self.checksum = hashlib.sha256(content).hexdigest()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._head(0)

            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "bytes=0-")
                start = int(wanted.removeprefix("bytes=").partition("-")[0])
                self._head(start)
                self.wfile.write(hub.content[start : hub.stop_after])
                if hub.stop_after is not None:
                    self.wfile.flush()
                    hub._closing.wait()

            def _head(self, start: int) -> None:
                hub.methods.append(self.command)
                hub.heads.append(f"{self.requestline}\n{self.headers}")
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(hub.content) - start))
                if start:
                    size = len(hub.content)
                    self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
                self.send_header("ETag", f'"{hub.checksum}"')
                self.send_header("X-Repo-Commit", "0" * 40)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        return Handler
