"""The loop itself: a scripted model that computes, so that a wrong answer is the harness's fault.

For each question the model looks at the table in one block, computes in a second one, and answers
with what the output that it got back holds. It knows which values are asked for, by the labels, and
its code reads the table with the standard library. The same code in a plain Python process is the
floor.
"""

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import median
from typing import Any

from tasks.dabench import Question, is_right
from tests.wire_client import WireClient

READER = """\
import csv, statistics
text = open({name!r}, "rb").read().decode("utf-8", "replace")
rows = [row for row in csv.reader(text.splitlines()) if row]
print(len(rows), rows[0])"""
COMPUTE = """\
columns = list(zip(*(row for row in rows[1:] if len(row) == len(rows[0]))))
for name, column in zip(rows[0], columns):
    numbers = []
    for value in column:
        try:
            numbers.append(float(value))
        except ValueError:
            pass
    if numbers:
        mean = statistics.fmean(numbers)
        print(name[:30], len(numbers), f"{{mean:.6g}}", min(numbers), max(numbers))
for label, value in {labels!r}.items():
    print(f"@{{label}}[{{value}}]")"""


def blocks(question: Question) -> tuple[str, str]:
    """Return the code of the two blocks."""
    labels = dict(question.labels)
    return READER.format(name=question.table.name), COMPUTE.format(labels=labels)


def report(questions: Sequence[Question]) -> None:
    """Run the questions through the daemon and in plain Python, and print what differs."""
    lost: list[str] = []
    ours: list[float] = []
    floor: list[float] = []
    with _model(questions) as url, _daemon() as client:
        for question in questions:
            started = time.perf_counter()
            expected = _plain(question)
            floor.append(time.perf_counter() - started)
            started = time.perf_counter()
            outputs, answer = _turn(client, url, question)
            ours.append(time.perf_counter() - started)
            if outputs != expected or not is_right(answer, question.labels):
                lost.append(f"question {question.id}: {answer[:100]!r}")
    for line in lost:
        print(line)
    print(f"harness: {len(lost)} of {len(questions)} questions lost")
    turn, plain = median(ours), median(floor)
    print(
        f"a turn of three requests and two blocks: {turn * 1e3:.0f} ms;"
        f" the blocks in a plain Python: {plain * 1e3:.0f} ms; x{turn / plain:.2f}"
    )


def _plain(question: Question) -> str:
    """Return what both blocks print in a Python process of their own."""
    code = "\n".join(blocks(question))
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=question.table.parent,
        capture_output=True,
        check=True,
    )
    return done.stdout.decode().strip()


def _turn(client: WireClient, url: str, question: Question) -> tuple[str, str]:
    """Return what both blocks printed in a turn, and the answer."""
    conversation = f"question-{question.id}"
    settings = {
        "api_base": url,
        "api_key": "none",
        "auto_run": True,
        "max_output": 20_000,
        "cwd": str(question.table.parent),
    }
    client.result("oi/settings/set", {"conversation": conversation, "settings": settings})
    message = f"[{question.id}] {question.text}"
    params = {"conversation": conversation, "message": message}
    messages = client.result("oi/stream", params)["messages"]
    client.notifications.clear()
    outputs = [message["output"] for message in messages if "code" in message]
    return "\n".join(outputs).strip(), messages[-1].get("message", "")


@contextmanager
def _daemon() -> Iterator[WireClient]:
    with tempfile.TemporaryDirectory() as home, WireClient(environ={"HOME": home}) as client:
        client.result("oi/execute", {"language": "python", "code": "1"})
        yield client


@contextmanager
def _model(questions: Sequence[Question]) -> Iterator[str]:
    """The URL of a server that answers each question by two blocks, then by their output."""
    by_id = {question.id: question for question in questions}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            events = [*_events(_reply(body["messages"], by_id)), "[DONE]"]
            data = "".join(f"data: {event}\n\n" for event in events).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()


def _reply(messages: Sequence[dict[str, Any]], by_id: dict[int, Question]) -> dict[str, Any]:
    """Return the delta of the next reply: a block, or what the last output says."""
    asked = next(message["content"] for message in messages if message["role"] == "user")
    question = by_id[int(asked[1 : asked.index("]")])]
    outputs = [message["content"] for message in messages if message["role"] == "tool"]
    if len(outputs) == 2:
        lines = [line for line in outputs[1].splitlines() if line.startswith("@")]
        return {"content": "The result is " + ", ".join(lines)}
    code = blocks(question)[len(outputs)]
    function = {"name": "execute", "arguments": json.dumps({"language": "python", "code": code})}
    return {"tool_calls": [{"index": 0, "id": f"call{len(outputs)}", "function": function}]}


def _events(delta: dict[str, Any]) -> Iterator[str]:
    """Yield the events of a reply; text and arguments come in pieces of a few characters."""
    if "content" in delta:
        text = delta["content"]
        for start in range(0, len(text), 5):
            yield _event({"content": text[start : start + 5]})
        yield _event({}, "stop")
        return
    (call,) = delta["tool_calls"]
    arguments = call["function"]["arguments"]
    call["function"]["arguments"] = ""
    yield _event({"tool_calls": [call]})
    for start in range(0, len(arguments), 5):
        piece = {"index": 0, "function": {"arguments": arguments[start : start + 5]}}
        yield _event({"tool_calls": [piece]})
    yield _event({}, "tool_calls")


def _event(delta: dict[str, Any], finish: str | None = None) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
