"""What the files are called, and how ids find them."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.errors import InvalidError
from oi_daemon.history import History, naming, new_id
from oi_daemon.messages import CodeMessage
from oi_daemon.settings.paths import conversations_path
from tests.history.conversations import CONVERSATION, another, asked, names, saved, stored


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What's 34/24?", "Whats_34_24"),
        ("hi", "hi"),
        ("  \n hi\nthere", "hi"),
        ("what is   the__time...now", "what_is_the_time_now"),
        ("Сколько будет 2+2?", "Сколько_будет_2_2"),
        ("今日は何曜日ですか", "今日は何曜日ですか"),
        ("नमस्ते दुनिया", "नमस्ते_दुनिया"),
        ("x" * 500, "x" * 40),
        ("漢" * 500, "漢" * 33),
        ("a " * 500, "_".join("a" * 20)),
        ("../../etc/passwd", "etc_passwd"),
        ("?!…", "conversation"),
        ("🙂❤️", "conversation"),
        ("", "conversation"),
    ],
)
def test_a_file_is_named_by_first_words_time_and_id(
    history: History, text: str, words: str
) -> None:
    name = saved(history, "k3f9x2", asked(text)).name
    assert re.fullmatch(r"(.*)__\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d__k3f9x2\.json", name)
    assert name.split("__")[0] == words


def test_without_a_question_the_code_names_the_file(history: History) -> None:
    path = saved(history, "a", [CodeMessage("python", "import os\nos.getcwd()", "/")])
    assert path.name.startswith("import_os__")


def test_the_name_does_not_change(history: History, folder: Path) -> None:
    path = saved(history, "a", CONVERSATION)
    assert saved(history, "a", asked("Something else")) == path
    again = another(folder)
    again.load("a")
    assert saved(again, "a", asked("And again")) == path


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
    | st.text("abc_", min_size=1, max_size=40)
)
def test_any_id_finds_its_file_again(conversation: str) -> None:
    name = naming.name_for(conversation, "漢" * 400)
    assert naming.id_in(name) == conversation
    assert name.endswith(naming.endings(conversation))
    assert len(name.encode()) <= 255
    assert "/" not in name


@pytest.mark.parametrize("conversation", ["a" * 121, "漢" * 14, "", "\ud800"])
def test_an_id_that_cannot_stand_in_a_name_is_refused(
    history: History, folder: Path, conversation: str
) -> None:
    with pytest.raises(InvalidError, match=r"^conversation: "):
        history.save(conversation, CONVERSATION)
    with pytest.raises(InvalidError, match=r"^conversation: "):
        history.load(conversation)
    assert not folder.exists()


@pytest.mark.parametrize("conversation", ["../escape", "a__b", "..", "a/b", "A%5F", "%2E"])
def test_ids_of_clients_stay_in_the_folder_and_apart(
    history: History, folder: Path, conversation: str
) -> None:
    path = saved(history, conversation, CONVERSATION)
    assert path.parent == folder
    assert another(folder).path_of(conversation) == path
    assert another(folder).list().entries[0].conversation == conversation


def test_an_id_never_reads_outside_of_the_folder(history: History, folder: Path) -> None:
    history.save("a", CONVERSATION)
    (folder.parent / "outside.json").write_text("[]")
    assert history.load("../outside") is None


def test_new_ids_differ_and_are_easy_to_read() -> None:
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert not set("".join(ids)) & set("ilo01_%")


def test_the_same_words_at_the_same_time_are_two_files(history: History, folder: Path) -> None:
    history.save("a", CONVERSATION)
    history.save("b", CONVERSATION)
    assert len(names(folder)) == 2


@pytest.mark.parametrize(
    ("chosen", "name"),
    [("mine.json", "mine.json"), ("mine", "mine.json"), ("my chat", "my chat.json")],
)
def test_the_user_may_name_the_file(history: History, chosen: str, name: str) -> None:
    for _ in range(2):
        path = history.save("a", CONVERSATION, filename=chosen)
        assert path == history.folder / name
    assert names(history.folder) == [name]


@pytest.mark.parametrize(
    "chosen",
    ["../mine.json", "/tmp/mine.json", "a/b.json", "..", ".", "", "a\\b", "a\0", "x" * 256],
)
def test_a_name_outside_of_the_folder_is_refused(history: History, chosen: str) -> None:
    with pytest.raises(InvalidError, match=r"^settings\.conversation_filename: "):
        history.save("a", CONVERSATION, filename=chosen)
    assert not history.folder.exists()


def test_a_file_that_the_user_named_keeps_its_id(history: History, folder: Path) -> None:
    path = history.save("a", CONVERSATION, filename="mine.json")

    later = another(folder)
    assert [entry.conversation for entry in later.list().entries] == ["a"]
    assert later.load("a") == CONVERSATION
    assert later.load("mine") is None
    assert later.save("a", asked("more"), filename="mine.json") == path


def test_a_name_that_is_chosen_later_leaves_each_id_one_file(
    history: History, folder: Path
) -> None:
    history.save("a", asked("first"))
    history.save("a", asked("second"), filename="mine.json")
    history.save("a", asked("third"), filename="other.json")

    for one in (history, another(folder)):
        entries = one.list().entries
        ids = [entry.conversation for entry in entries]
        assert sorted(ids)[0] == "a"
        assert len({*ids}) == 3
        for entry in entries:
            assert another(folder).load(entry.conversation) == asked(entry.title)
            assert one.load(entry.conversation) == asked(entry.title)
    assert another(folder).load("a") == asked("third")


def test_without_the_list_of_names_its_stem_is_the_id(history: History, folder: Path) -> None:
    history.save("a", CONVERSATION, filename="mine.json")
    conversations_path().with_name("conversation-names").write_text("{oops")

    assert [entry.conversation for entry in another(folder).list().entries] == ["mine"]
    assert another(folder).load("mine") == CONVERSATION


def test_a_name_that_is_taken_costs_nobody_anything(history: History) -> None:
    history.save("a", asked("first"), filename="mine.json")
    path = history.save("b", asked("second"), filename="mine.json")

    assert path is not None
    assert path.name.startswith("mine__")
    assert history.save("b", asked("second, more"), filename="mine.json") == path
    assert stored(history.folder / "mine.json") == asked("first")


def test_files_of_open_interpreter_are_resumed(history: History, folder: Path) -> None:
    folder.mkdir(parents=True)
    path = folder / "Привет_как_дела_сегодня__November_25_2026_02-45-00.json"
    path.write_text('[{"role": "user", "message": "Привет"}]', "utf-8")

    assert history.load(path.stem) == asked("Привет")
    assert history.save(path.stem, CONVERSATION) == path
