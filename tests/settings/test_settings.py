"""Settings are values: checked when changed, and never shown with the key."""

import math
from typing import Any

import pytest

from oi_daemon.errors import InvalidError
from oi_daemon.settings import (
    NAMES,
    OPTIONAL,
    Settings,
    change,
    descriptions,
    json_object,
    public,
    schema,
)

REFERENCE = {
    "model": "gpt-4",
    "local": False,
    "auto_run": False,
    "debug_mode": False,
    "max_output": 2000,
    "conversation_history": True,
    "conversation_filename": None,
    "conversation_history_path": None,
    "temperature": None,
    "context_window": None,
    "max_tokens": None,
    "api_base": None,
    "api_key": None,
    "max_budget": None,
}


def test_every_documented_setting_has_its_default() -> None:
    shown = {name: getattr(Settings(), name) for name in REFERENCE}
    assert shown == REFERENCE
    assert Settings().system_message


@pytest.mark.parametrize("name", ["extra_body", "extra_headers"])
def test_a_setting_in_json_takes_text_and_objects(name: str) -> None:
    for value in ({"X-A": "1"}, '{"X-A": "1"}'):
        assert json_object(getattr(change(Settings(), {name: value}), name)) == {"X-A": "1"}
    assert getattr(change(Settings(), {name: ""}), name) is None
    for wrong in ("[1]", "{", {"a": {1, 2}}):
        with pytest.raises(InvalidError, match="JSON object"):
            change(Settings(), {name: wrong})


@pytest.mark.parametrize("wrong", [{"a b": "1"}, {"a": 1}, {"a": "1\n"}, {"a": "\N{SNOWMAN}"}])
def test_headers_that_cannot_be_sent(wrong: object) -> None:
    with pytest.raises(InvalidError, match="HTTP can send"):
        change(Settings(), {"extra_headers": wrong})


def test_values_of_headers_are_not_shown() -> None:
    shown = public(change(Settings(), {"extra_headers": {"X-Key": "sk-secret"}}))
    assert shown["extra_headers"] == '{"X-Key": "..."}'


def test_what_may_be_a_key_of_an_mcp_server_is_not_shown() -> None:
    servers = {
        "a": {"command": "x", "env": {"TOKEN": "sk-secret"}},
        "b": {"url": "https://me:sk-secret@example.com/mcp?key=sk-secret", "headers": {"K": "s"}},
    }
    settings = change(Settings(), {"mcp": servers})
    shown = json_object(public(settings)["mcp"])

    assert shown["a"] == {"command": "x", "env": {"TOKEN": "..."}}
    assert shown["b"] == {"url": "https://example.com/mcp", "headers": {"K": "..."}}
    assert "sk-secret" not in repr(settings)


def test_a_change_makes_another_value() -> None:
    before = Settings()
    after = change(before, {"model": "gpt-4-32k", "temperature": 1})

    assert (after.model, after.temperature) == ("gpt-4-32k", 1.0)
    assert before == Settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("model", "", "text that is not empty"),
        ("model", None, "text"),
        ("local", 1, "true or false"),
        ("max_output", "2000", "a whole number"),
        ("max_output", True, "a whole number"),
        ("max_output", 0, ">= 1"),
        ("temperature", 2.1, "<= 2"),
        ("temperature", math.nan, "a number"),
        ("context_window", 12, ">= 256"),
        ("max_budget", -1, ">= 0"),
        ("system_message", None, "text"),
        ("tool_style", "xml", "auto"),
        ("tool_style", 7, "markdown"),
        ("conversation_filename", "../mine.json", "a file without a folder"),
        ("conversation_filename", "/etc/passwd", "a file without a folder"),
        ("conversation_filename", "red\x1b[31m", "control characters"),
        ("conversation_filename", "two\nlines", "control characters"),
        ("conversation_filename", "line\n", "control characters"),
        ("cwd", "a\0b", "text without NUL characters"),
        ("python", "a\0b", "text without NUL characters"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(name: str, value: Any, expected: str) -> None:
    with pytest.raises(InvalidError) as refused:
        change(Settings(), {name: value})
    assert str(refused.value).startswith(f"settings.{name}: expected ")
    assert expected in str(refused.value)


def test_a_change_is_made_whole_or_not_at_all() -> None:
    settings = Settings()
    with pytest.raises(InvalidError):
        change(settings, {"model": "gpt-4-32k", "max_tokens": -1})
    assert settings == Settings()


@pytest.mark.parametrize(
    ("name", "hint"),
    [("mdoel", "did you mean model?"), ("maxtokens", "did you mean max_tokens?"), ("qqq", "")],
)
def test_an_unknown_name_is_refused_with_the_near_one(name: str, hint: str) -> None:
    with pytest.raises(InvalidError) as refused:
        change(Settings(), {name: 1})
    assert str(refused.value).startswith(f"settings.{name}: there is no such setting")
    assert hint in str(refused.value)


@pytest.mark.parametrize("name", ["__init__", "__class__", "api_key.__class__", "change"])
def test_no_attribute_but_a_setting_can_be_changed(name: str) -> None:
    with pytest.raises(InvalidError, match="there is no such setting"):
        change(Settings(), {name: "x"})


def test_a_setting_cannot_be_assigned_past_the_check() -> None:
    with pytest.raises(AttributeError):
        Settings().model = "x"  # type: ignore[misc]


@pytest.mark.parametrize("name", sorted(OPTIONAL))
def test_empty_text_unsets_what_may_be_unset(name: str) -> None:
    example = schema()["properties"][name]["examples"][0]
    set_once = change(Settings(), {name: example})

    assert getattr(set_once, name) == example
    assert change(set_once, {name: ""}) == change(set_once, {name: None}) == Settings()


def test_text_from_the_environment_is_taken_as_its_type() -> None:
    text = {"auto_run": "true", "max_output": "100", "temperature": "0.5", "model": "123"}
    settings = change(Settings(), text, lax=True)
    assert (settings.auto_run, settings.max_output, settings.temperature, settings.model) == (
        True,
        100,
        0.5,
        "123",
    )


def test_the_key_is_shown_only_as_whether_it_is_set() -> None:
    settings = change(Settings(), {"api_key": "sk-secret"})

    assert public(settings)["api_key"] is True
    assert public(Settings())["api_key"] is False
    assert "secret" not in f"{settings!r} {settings} {public(settings)}"


@pytest.mark.parametrize("value", [["sk-secret"], {"key \n": {"sk-secret"}}])
def test_no_refusal_holds_the_value(value: Any) -> None:
    for name in NAMES:
        with pytest.raises(InvalidError) as refused:
            change(Settings(), {name: value})
        assert "secret" not in str(refused.value)


def test_every_setting_is_described() -> None:
    assert list(descriptions()) == list(NAMES)
    assert all(text.endswith(".") for text in descriptions().values())
