"""Which models are offered, and in which order."""

from oi_daemon.model.choosing import chat_models

OPENAI = [
    "gpt-6-luna",
    "text-embedding-3-large",
    "gpt-4o",
    "gpt-5.5-pro",
    "gpt-6.2-sol",
    "whisper-1",
    "gpt-6-astra",
    "gpt-6.2-astra",
    "gpt-5.4-nano",
    "gpt-5.4-mini",
    "gpt-5.4",
    "gpt-5.4-2026-03-05",
    "gpt-image-2",
    "gpt-6.1-terra",
    "gpt-6.1-sol",
    "gpt-6-sol",
    "o3",
    "gpt-5.3-codex",
    "gpt-4.1",
    "gpt-5-chat-latest",
    "gpt-realtime",
    "omni-moderation-latest",
    "sora-2",
    "tts-1-hd",
    "gpt-4o-transcribe",
    "gpt-3.5-turbo-instruct",
    "babbage-002",
    "gpt-audio",
]


def test_openais_models_are_in_the_order_of_their_versions_and_sizes() -> None:
    assert chat_models(OPENAI) == [
        *("gpt-6.2-astra", "gpt-6.2-sol", "gpt-6.1-sol", "gpt-6-astra", "gpt-6-sol", "gpt-5.4"),
        *("gpt-5.4-2026-03-05", "gpt-4.1", "gpt-4o", "o3"),
        *("gpt-6.1-terra", "gpt-6-luna", "gpt-5.4-nano", "gpt-5.4-mini"),
        *("gpt-5.5-pro", "gpt-5.3-codex", "gpt-5-chat-latest"),
    ]


def test_of_many_makers_the_best_model_of_each_comes_before_small_ones() -> None:
    names = [
        *("google/gemini-3.5-flash", "google/gemini-3.5-pro", "anthropic/claude-haiku-4.5"),
        *("anthropic/claude-opus-5", "openai/gpt-5-mini", "openai/gpt-6-sol", "meta/llama-guard-4"),
        *("mistral-embed", "deepseek-v4", "claude-opus-4-20250514"),
    ]
    assert chat_models(names) == [
        *("openai/gpt-6-sol", "anthropic/claude-opus-5", "claude-opus-4-20250514"),
        *("google/gemini-3.5-pro", "deepseek-v4"),
        *("openai/gpt-5-mini", "anthropic/claude-haiku-4.5", "google/gemini-3.5-flash"),
    ]


def test_names_that_say_nothing_keep_the_servers_order() -> None:
    assert chat_models(["zeta", "alpha", "nomic-embed-text", "gpt-4o-mini"]) == [
        *("gpt-4o-mini", "zeta", "alpha")
    ]
