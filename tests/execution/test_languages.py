"""Every language describes itself, and says what to change where it cannot start."""

from pathlib import Path

import pytest
from pygments.lexers import get_lexer_by_name

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Language, Workplace
from oi_daemon.execution.languages.registry import LANGUAGES
from tests.execution.runs import output

WITH_PROCESS = ["python", "shell", "javascript", "r"]


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_it_has_a_lexer_a_suffix_and_an_id_in_each_editor(language: Language) -> None:
    assert get_lexer_by_name(language.lexer).name == get_lexer_by_name(language.name).name
    assert language.suffix.startswith(".")
    assert language.vscode
    assert language.neovim


def test_no_name_means_two_languages() -> None:
    for kind in ("aliases", "vscode", "neovim"):
        names = [name for known in LANGUAGES for name in {known.name, *getattr(known, kind)}]
        assert len(names) == len(set(names)), kind


@pytest.mark.parametrize("language", WITH_PROCESS)
async def test_a_missing_folder_is_named_with_the_setting(tmp_path: Path, language: str) -> None:
    folder = tmp_path / "gone"
    interpreters = Interpreters(Workplace(cwd=str(folder)))
    told = await output(interpreters, "1", language=language)
    assert told.endswith(
        f" does not start, because the folder {str(folder)!r} does not exist."
        " Create it, or name another folder by the setting cwd.\n"
    )


@pytest.mark.parametrize(
    ("name", "why"), [("file", "is not a folder"), ("\0", "cannot be used"), ("x" * 300, "cannot")]
)
async def test_what_is_no_folder_says_why(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").touch()
    interpreters = Interpreters(Workplace(cwd=f"{tmp_path}/{name}"))
    assert why in await output(interpreters, "1")


async def test_the_next_block_runs_once_the_folder_is_there(tmp_path: Path) -> None:
    interpreters = Interpreters(Workplace(cwd=f"{tmp_path}/gone"))
    assert "does not exist" in await output(interpreters, "1")
    (tmp_path / "gone").mkdir()
    assert await output(interpreters, "1") == "1\n"
    await interpreters.close()
