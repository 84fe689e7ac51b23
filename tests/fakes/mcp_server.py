"""A small MCP server of the standard library: `python -m tests.fakes.mcp_server [--http]`.

Over standard input and output, or over HTTP at a port that it prints. Its tools do what their names
say. What it is told besides is appended to the file that MCP_LOG names, one JSON object a line.
"""

import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


def schema(**properties: str) -> dict[str, Any]:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            name: {"type": kind, "description": f"The {name}."} for name, kind in properties.items()
        },
        "required": [*properties][:1],
    }


def tool(name: str, description: str, **properties: str) -> dict[str, Any]:
    return {"name": name, "description": description, "inputSchema": schema(**properties)}


TOOLS = [
    tool("add", "Adds two numbers.", a="number", b="number"),
    tool("picture", "Shows a dot."),
    tool("fail", "Fails.", why="string"),
    tool("refuse", "Is refused."),
    tool("die", "Ends the server."),
    tool("wait", "Never\x1b[2J answers."),
    tool("huge", "Answers much.", size="number"),
    tool("env", "Its environment."),
    tool("dash-ed", "Echoes.", **{"a-b": "string", "text": "string"}),
]


def log(message: dict[str, Any]) -> None:
    if path := os.environ.get("MCP_LOG"):
        with Path(path).open("a") as file:
            file.write(json.dumps(message) + "\n")


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": value}], **more}


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any] | None:
    match name:
        case "add":
            total = arguments["a"] + arguments.get("b", 0)
            return text(str(total), structuredContent={"total": total})
        case "picture":
            picture = {"type": "image", "data": PNG, "mimeType": "image/png"}
            return {"content": [{"type": "text", "text": "a dot"}, picture]}
        case "fail":
            return text(f"It failed:\x1b[31m {arguments['why']}", isError=True)
        case "die":
            sys.stderr.write("warming up\nout of luck\n")
            sys.stderr.flush()
            os._exit(3)
        case "huge":
            return text("x" * arguments["size"])
        case "env":
            return text(json.dumps(dict(os.environ)))
        case "dash-ed":
            return text(json.dumps(arguments))
        case _:
            return None


def answer(message: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a message; None if there is none."""
    method, params = message.get("method"), message.get("params") or {}
    if "id" not in message:
        log(message)
        return None
    head = {"jsonrpc": "2.0", "id": message["id"]}
    match method:
        case "initialize":
            log(message)
            return head | {
                "result": {
                    "protocolVersion": params["protocolVersion"],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "fake", "version": "1"},
                }
            }
        case "tools/list":
            first = "cursor" not in params  # two pages
            page: dict[str, Any] = {"tools": TOOLS[:3] if first else TOOLS[3:]}
            return head | {"result": page | ({"nextCursor": "2"} if first else {})}
        case "tools/call" if params["name"] != "refuse":
            log(message)
            result = call(params["name"], params["arguments"])
            return None if result is None else head | {"result": result}
    return head | {"error": {"code": -32602, "message": f"refused: {method}"}}


def serve_stdio() -> None:
    sys.stdout.write("Warning: this line is no message\n")
    for line in sys.stdin:
        if (result := answer(json.loads(line))) is not None:
            sys.stdout.write(json.dumps(result) + "\n")
            sys.stdout.flush()


class Handler(BaseHTTPRequestHandler):
    """Answers each POST: calls as a stream of events, the rest as JSON."""

    protocol_version = "HTTP/1.1"
    sessions: set[str] = set()  # noqa: RUF012

    def do_POST(self) -> None:
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        session = self.headers.get("Mcp-Session-Id", "")
        if self.headers.get("Authorization") != "Bearer sk-secret-12345":
            return self.reply(401, b"no key")
        if message.get("method") == "initialize":
            session = f"session-{time.monotonic_ns()}"
            self.sessions.add(session)
        elif session not in self.sessions or not self.headers.get("MCP-Protocol-Version"):
            return self.reply(404, b"unknown session")
        if message.get("params", {}).get("name") == "die":
            self.sessions.clear()
            return self.reply(404, b"unknown session")
        result = answer(message)
        if "id" not in message:
            return self.reply(202, b"")
        if result is None:
            threading.Event().wait()
        body = json.dumps(result).encode()
        if message["method"] == "tools/call":
            body = b": hello\n\nevent: message\ndata: " + body + b"\n\n"
            return self.reply(200, body, "text/event-stream")
        self.reply(200, body, "application/json", session)

    def do_DELETE(self) -> None:
        log({"method": "DELETE", "session": self.headers.get("Mcp-Session-Id")})
        self.reply(200, b"")

    def reply(self, status: int, body: bytes, kind: str = "text/plain", session: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if session:
            self.send_header("Mcp-Session-Id", session)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def serve_http() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)  # noqa: T201
    server.serve_forever()


if __name__ == "__main__":
    serve_http() if "--http" in sys.argv else serve_stdio()
