"""The index is a cache: broken, missing, plain or shared, the list and the search are right."""

from collections.abc import Callable
from pathlib import Path

import pytest

from oi_daemon.history import History, index_tables
from oi_daemon.messages import CodeMessage, Message
from tests.history.conversations import another, asked, saved
from tests.history.turns import PICTURE

PLOT: list[Message] = [*asked("Plot it"), CodeMessage("python", "plot()", "", (PICTURE,))]


def index_of(history: History) -> Path:
    return history._folder.index_path


def found(history: History, query: str | None = None) -> list[str]:
    """The ids of the conversations that are listed, sorted."""
    return sorted(entry.conversation for entry in history.list(query=query).entries)


def garbage(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 1000)


def torn(path: Path) -> None:
    """Half of it is lost, as after a loss of power."""
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def missing(path: Path) -> None:
    path.unlink()


def is_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [garbage, torn, empty, missing, is_a_folder])
def test_an_index_that_is_broken_is_made_anew(
    history: History, folder: Path, damage: Callable[[Path], None]
) -> None:
    for word in ("apples", "pears", "plums"):
        history.save(word, asked(f"About {word}"))
    assert found(history, "pear") == ["pears"]
    history.close()
    for suffix in ("-wal", "-shm"):
        index_of(history).with_name(index_of(history).name + suffix).unlink(missing_ok=True)
    damage(index_of(history))

    for _ in range(2):
        later = another(folder)
        assert found(later) == ["apples", "pears", "plums"]
        assert found(later, "plum") == ["plums"]
        later.save("figs", asked("About figs"))
        assert found(later, "figs") == ["figs"]
        later.delete("figs")
        assert found(later) == ["apples", "pears", "plums"]
        later.close()


def test_an_index_that_breaks_while_it_is_used_is_made_anew(history: History, folder: Path) -> None:
    history.save("a", asked("About apples"))
    assert found(history, "apples") == ["a"]
    for suffix in ("", "-wal", "-shm"):
        path = index_of(history).with_name(index_of(history).name + suffix)
        if path.exists():
            garbage(path)
    history.save("b", asked("About pears"))
    assert found(history) == ["a", "b"]
    assert found(history, "pears") == ["b"]
    assert another(folder).load("b") == asked("About pears")


def test_a_search_works_without_sqlite_s_full_text_search(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_tables, "_has_fts", lambda database: False)
    plain = another(folder)
    plain.save("a", asked("What's 34/24 of an Äpfel pie?"))
    plain.save("b", asked("Sort the photographs"))
    for query, ids in [("äpfel 34", ["a"]), ("PHOTO", ["b"]), ("pie photo", []), ("34/24", ["a"])]:
        assert found(plain, query) == ids
    [entry] = plain.list(query="photo").entries
    assert "photographs" in (entry.snippet or "")
    plain.save("b", asked("Something else"))
    assert found(plain, "photo") == []
    plain.close()

    monkeypatch.undo()  # the next daemon's SQLite has it
    later = another(folder)
    assert found(later, "äpfel") == ["a"]
    assert found(later, "something") == ["b"]


def test_two_daemons_share_an_index(history: History, folder: Path) -> None:
    other = another(folder)
    for number in range(5):
        history.save(f"a{number}", asked(f"Apples {number}"))
        other.save(f"b{number}", asked(f"Bananas {number}"))
        for each in (history, other):
            assert len(found(each)) == 2 * (number + 1)
            assert len(found(each, "apple")) == len(found(each, "banana")) == number + 1
    assert history.delete("b0")
    assert found(other, "bananas") == ["b1", "b2", "b3", "b4"]
    path = other.path_of("b1")
    assert path is not None
    path.rename(path.with_name("renamed.json"))
    assert found(history, "bananas") == ["b2", "b3", "b4", "renamed"]
    assert history.load("renamed") == asked("Bananas 1")


def test_pictures_that_no_conversation_uses_are_removed(history: History, folder: Path) -> None:
    history.save("a", PLOT)
    history.save("b", PLOT)
    [picture] = (folder / "pictures").iterdir()

    history.delete("a")
    history.sweep_pictures()
    assert picture.exists()
    history.delete("b")
    history.sweep_pictures()
    assert not picture.exists()


@pytest.mark.parametrize("damage", [None, garbage, missing])
def test_pictures_of_others_are_kept(
    history: History, folder: Path, damage: Callable[[Path], None] | None
) -> None:
    """Those in another daemon's journal, in a file that is broken, and without an index."""
    other = another(folder)
    if damage is None:
        other.save("a", PLOT[:1])
        other.save("a", PLOT, merge="later")
    else:
        path = saved(other, "a", PLOT)
        other.close()
        path.write_bytes(path.read_bytes()[:-3])
        damage(index_of(history))
    [picture] = (folder / "pictures").iterdir()
    history.save("b", asked("Else"))
    history.delete("b")
    history.sweep_pictures()
    assert picture.exists()
