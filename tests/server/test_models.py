"""`oi/models`: the chat models of the server that the settings name."""

from oi_daemon.client.interpreter import Interpreter
from tests.fakes.openai_server import ThreadedServer
from tests.talk import ready
from tests.wire_client import WireClient


def test_the_servers_chat_models_are_listed_the_best_ones_first(server: ThreadedServer) -> None:
    server.set_models(["text-embedding-3-large", "gpt-5.4-mini", "gpt-6-sol", "dall-e-3"])
    with WireClient() as client:
        ready(client, server.url)
        offered = client.result("oi/models")["server"]
    assert offered == {"api_base": server.url, "models": ["gpt-6-sol", "gpt-5.4-mini"]}


def test_a_server_that_lists_none_and_a_model_on_this_machine(server: ThreadedServer) -> None:
    server.set_models([])
    with WireClient() as client:
        ready(client, server.url)
        assert client.result("oi/models")["server"] is None
    with WireClient() as client:
        ready(client, server.url, local=True)
        assert client.result("oi/models")["server"] is None


def test_the_library_gives_the_same_list(server: ThreadedServer) -> None:
    server.set_models(["gpt-5.4-mini", "gpt-6-sol"])
    with Interpreter(api_base=server.url, api_key="sk-test") as interpreter:
        assert interpreter.models() == ["gpt-6-sol", "gpt-5.4-mini"]
        interpreter.api_base = "http://127.0.0.1:9/v1"
        assert interpreter.models() == []
