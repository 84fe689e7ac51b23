"""Which servers are on this machine, and are reached without a proxy."""

import pytest

from oi_daemon.model.connections import proxy_for
from oi_daemon.model.endpoint import is_this_machine, server_url


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "127.0.0.2"),
        *("127.255.255.254", "0.0.0.0", "::1", "[::1]", "::", "::ffff:127.0.0.1"),
    ],
)
def test_names_and_addresses_of_this_machine(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize(
    "host", ["example.com", "localhost.example.com", "128.0.0.1", "10.0.0.1", "::2", "", "127.1.x"]
)
def test_other_machines(host: str) -> None:
    assert not is_this_machine(host)


@pytest.mark.parametrize(
    ("api_base", "url"),
    [
        ("https://example.com/v1", ("https://example.com/v1", {}, None)),
        ("https://example.com/v1/chat/completions/", ("https://example.com/v1", {}, None)),
        ("https://example.com/v1/responses", ("https://example.com/v1", {}, None)),
        (
            "https://x.openai.azure.com/openai/deployments/mine/chat/completions"
            "?api-version=2026-01-01",
            (
                "https://x.openai.azure.com/openai/deployments/mine",
                {"api-version": "2026-01-01"},
                "api-key",
            ),
        ),
    ],
)
def test_the_parts_of_a_base_url(
    api_base: str, url: tuple[str, dict[str, str], str | None]
) -> None:
    assert server_url(api_base) == url


def test_a_proxy_of_the_environment_is_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "example.org")
    assert proxy_for("https://api.openai.com/v1") == "http://127.0.0.1:9"
    assert proxy_for("http://example.com:8000/v1") == "http://127.0.0.1:9"
    assert proxy_for("http://example.org/v1") is None
    for base in ("http://127.0.0.2:1/v1", "http://0.0.0.0:1/v1", "http://[::1]:1/v1"):
        assert proxy_for(base) is None
