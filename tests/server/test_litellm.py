"""A server that nobody here wrote: litellm's proxy, which passes chat completions to `/responses`.

It needs a virtual environment of its own, because litellm pins what it depends on:
`uv venv venv; uv pip install -p venv/bin/python 'litellm[proxy]'`, then
`OI_LITELLM=venv/bin/litellm pytest -m litellm`.
"""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.openai_server import ScriptedServer, ThreadedServer
from tests.fakes.responses import (
    check_request,
    custom_call,
    function_call,
    message,
    reasoning,
    response,
)
from tests.talk import KEY, ready
from tests.wire_client import WireClient

PROGRAM = os.environ.get("OI_LITELLM", "")

pytestmark = [
    pytest.mark.litellm,
    pytest.mark.skipif(not PROGRAM, reason="OI_LITELLM names no proxy"),
]


@pytest.fixture
def upstream() -> Iterator[ThreadedServer]:
    """The server behind the proxy, which has `/responses` only."""
    with ScriptedServer.in_thread() as server:
        yield server


@pytest.fixture
def proxy(upstream: ThreadedServer, tmp_path: Path) -> Iterator[str]:
    """The base URL of the proxy. Its model `bridged` turns chat completions into responses."""
    config = tmp_path / "config.yaml"
    lines = [
        "model_list:",
        *_model("bridged", "openai/responses/gpt-5-codex", upstream.url),
        *_model("gpt-5", "openai/gpt-5", upstream.url),
    ]
    config.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [PROGRAM, "--config", str(config), "--port", str(port), "--host", "127.0.0.1"]
    environ = {
        **os.environ,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # because the price list is on the network
        "LITELLM_MASTER_KEY": KEY,
    }
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            _wait(f"http://127.0.0.1:{port}/health/liveliness", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def _model(name: str, model: str, api_base: str) -> list[str]:
    return [
        f"  - model_name: {name}",
        "    litellm_params:",
        f"      model: {model}",
        f"      api_base: {api_base}",
        "      api_key: sk-1",
    ]


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the proxy answers."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the proxy does not answer")


def test_chat_completions_that_become_responses(proxy: str, upstream: ThreadedServer) -> None:
    upstream.enqueue(
        response(
            reasoning("I add.", encrypted="x9"),
            function_call('{"language": "python", ', '"code": "1 + 1"}', call_id="call_7"),
        ),
        response(message("It is ", "2.")),
    )
    with WireClient() as client:
        ready(client, proxy, auto_run=True, model="bridged")
        result = client.result("oi/stream", {"message": "What's 1 + 1?"})
    assert [each.get("output") or each["message"] for each in result["messages"]] == [
        "What's 1 + 1?",
        "2",
        "It is 2.",
    ]
    kinds = [item.get("type", "message") for item in upstream.bodies[-1]["input"]]
    assert kinds[-2:] == ["function_call", "function_call_output"]
    call, answer = upstream.bodies[-1]["input"][-2:]
    assert call["call_id"] == answer["call_id"]


def test_responses_through_the_proxy(proxy: str, upstream: ThreadedServer) -> None:
    upstream.enqueue(
        response(reasoning("I add.", encrypted="x9"), custom_call("python", "1 ", "+ 1")),
        response(message("It is ", "2.")),
    )
    with WireClient() as client:
        ready(client, proxy, auto_run=True, model="gpt-5", api="responses")
        result = client.result("oi/stream", {"message": "What's 1 + 1?"})
    assert [each.get("output") or each["message"] for each in result["messages"]] == [
        "What's 1 + 1?",
        "2",
        "It is 2.",
    ]
    check_request(upstream.bodies[-1])
    kinds = [item["type"] for item in upstream.bodies[-1]["input"]]
    assert kinds == ["message", "reasoning", "custom_tool_call", "custom_tool_call_output"]
    assert upstream.bodies[-1]["input"][1]["encrypted_content"] == "x9"
