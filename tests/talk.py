"""What end-to-end tests say to a daemon, and wait for."""

from collections.abc import Callable
from typing import Any

from tests.fakes.openai_server import Reply, tool_call
from tests.wire_client import WireClient

KEY = "sk-test-0123456789abcdef"


def code(source: str, language: str = "python") -> Reply:
    """A model's reply that is one block of code."""
    return tool_call({"language": language, "code": source})


def ready(client: WireClient, url: str, conversation: str | None = None, **more: Any) -> None:
    """Lead a conversation to a model server."""
    settings = {"api_base": url, "api_key": KEY, **more}
    client.result("oi/settings/set", {"conversation": conversation, "settings": settings})


def chunks(client: WireClient) -> list[dict[str, Any]]:
    return [notification["params"]["chunk"] for notification in client.notifications]


def wait_for(client: WireClient, wanted: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The params of the first notification whose params are wanted, come or to come."""
    for notification in client.notifications:
        if wanted(notification["params"]):
            return dict(notification["params"])
    while True:
        message = client.read_one()
        if "method" in message and wanted(message["params"]):
            return dict(message["params"])


def wait_for_chunk(client: WireClient, kind: str) -> dict[str, Any]:
    return wait_for(client, lambda params: kind in params["chunk"])


def wait_for_approval(client: WireClient, number: int = 1) -> str:
    """The id of the block that waits."""
    wanted = f"approval-{number}"
    approval: str = wait_for(client, lambda params: params.get("approval") == wanted)["approval"]
    return approval
