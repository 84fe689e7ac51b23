"""The list of conversations."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from oi_daemon.errors import InvalidError
from oi_daemon.history import Entry, History, document
from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from tests.history.conversations import CONVERSATION, another, asked, change_time, saved


def fill(history: History, count: int) -> None:
    for number in range(count):
        change_time(saved(history, f"c{number}", asked(f"Question {number}")), 1000 + number)


def pages(history: History, limit: int, query: str | None = None) -> list[list[str]]:
    """The conversations on all pages, one after the other."""
    entries, cursor = history.list(limit, None, query)
    found = [[entry.conversation for entry in entries]]
    while cursor is not None:
        entries, cursor = history.list(limit, cursor, query)
        found.append([entry.conversation for entry in entries])
    return found


def test_an_entry_says_what_to_choose_by(history: History) -> None:
    change_time(saved(history, "a", CONVERSATION), 1_800_000_000)
    [entry], cursor = history.list()

    assert cursor is None
    assert entry == Entry(
        conversation="a",
        title="What's 34/24?",
        updated="2027-01-15T08:00:00.000Z",
        messages=3,
    )


@pytest.mark.parametrize(
    ("messages", "title"),
    [
        ([UserMessage("\n  one\ttwo \nthree")], "one two"),
        ([UserMessage("a" * 90)], "a" * 79 + "…"),
        ([CodeMessage("python", "\nimport os\nx", "")], "import os"),
        ([AssistantMessage("Hello")], "Hello"),
        ([CodeMessage("python", "x"), UserMessage("Why?")], "Why?"),
        ([UserMessage("\x1b[31mred \ud800 ")], "[31mred"),
        ([UserMessage("")], ""),
    ],
)
def test_a_title_is_one_short_line(history: History, messages: list[Message], title: str) -> None:
    history.save("a", messages)
    assert history.list().entries[0].title == title


def test_the_newest_come_first_and_each_once(history: History) -> None:
    fill(history, 5)
    assert pages(history, 2) == [["c4", "c3"], ["c2", "c1"], ["c0"]]
    assert pages(history, 5) == [["c4", "c3", "c2", "c1", "c0"]]


def test_a_cursor_stands_while_conversations_come_and_go(history: History) -> None:
    fill(history, 5)
    _, cursor = history.list(2)
    history.save("new", asked("new"))
    history.delete("c3")

    entries, _ = history.list(2, cursor)

    assert [entry.conversation for entry in entries] == ["c2", "c1"]


@pytest.mark.parametrize("cursor", ["", "x", "é", "W10=", "WzEsMl0=", "////"])
def test_what_is_no_cursor_is_refused(history: History, cursor: str) -> None:
    with pytest.raises(InvalidError, match=r"^cursor: "):
        history.list(2, cursor)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("34/24", ["a"]),
        ("WHAT'S", ["a"]),
        ("1.41666", ["a"]),
        ("straße", ["b"]),
        ("STRASSE", ["b"]),
        ("line\ntwo", ["b"]),
        ("role", []),
        ("  ", ["b", "a"]),
        (None, ["b", "a"]),
    ],
)
def test_a_query_searches_all_text_in_any_case(
    history: History, query: str | None, found: list[str]
) -> None:
    change_time(saved(history, "a", CONVERSATION), 1)
    change_time(saved(history, "b", [AssistantMessage("Straße, line\ntwo")]), 2)
    for _ in range(2):
        assert pages(history, 5, query) == [found]


def test_a_search_has_pages_too(history: History) -> None:
    fill(history, 12)
    assert pages(history, 2, "question 1") == [["c11", "c10"], ["c1"]]


def test_a_search_sees_what_has_changed(history: History) -> None:
    history.save("a", asked("old"))
    assert pages(history, 5, "old") == [["a"]]
    history.save("a", asked("new"))
    assert pages(history, 5, "old") == [[]]
    assert pages(history, 5, "new") == [["a"]]


def test_only_a_pages_files_are_read(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(history, 5)
    history.close()
    read, reads = document.read, []

    def counted(path: Path, attach: Callable[[Any], Any]) -> document.Document:
        reads.append(path)
        return read(path, attach)

    monkeypatch.setattr(document, "read", counted)
    for _ in range(2):
        history.list(2)
        assert len(reads) == 3  # one more tells whether there is a next page


def test_what_is_listed_can_be_opened(history: History, folder: Path) -> None:
    """Also by its file's name, where another file has its id, and while the index is in step."""
    path = saved(history, "a", asked("first"))
    saved(another(folder), "a", asked("second"))
    twin = path.with_name(path.name.replace("first", "twin"))
    twin.write_bytes(path.read_bytes().replace(b"first", b"twin"))
    change_time(twin, 1)
    history.settle()

    entries = another(folder).list().entries

    assert len(entries) == 3
    for entry in entries:
        assert another(folder).load(entry.conversation) == asked(entry.title)
