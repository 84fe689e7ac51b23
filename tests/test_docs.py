"""What the documentation says of the code is so."""

import re
import runpy
from pathlib import Path

import pytest

from oi_daemon import errors

ROOT = Path(__file__).parents[1]
DOCS = runpy.run_path(str(ROOT / "scripts/docs"))


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", DOCS["PAGES"])
def test_the_table_of_settings_is_the_codes(page: str) -> None:
    """If this fails: `scripts/docs` writes it anew."""
    assert DOCS["settings_table"]() in read(page)
    assert DOCS["with_table"](read(page)) == read(page)


def test_every_kind_and_code_of_an_error_is_documented() -> None:
    text = read("docs/protocol.md")
    found = [error for error in vars(errors).values() if isinstance(error, type)]
    classes = [error for error in found if issubclass(error, errors.OIError)]
    kinds = {error.kind for error in classes}
    codes = {error.code for error in classes if error is not errors.RequestError}
    named = vars(errors.RequestError).items()
    codes |= {code for name, code in named if isinstance(code, int) and not name.startswith("__")}
    assert [kind for kind in kinds if f"`{kind}`" not in text] == []
    assert [code for code in codes if f"| {code} |" not in text] == []


@pytest.mark.parametrize("page", sorted(path.name for path in ROOT.glob("*.md")))
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    names = re.findall(
        r"`((?:tests|scripts|docs|benchmarks|clients|oi_daemon)/[\w./-]*)`", read(page)
    )
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(page))
    assert [name for name in names + links if not (ROOT / name).exists()] == []


def test_the_pictures_are_small() -> None:
    """`scripts/pictures` makes them anew."""
    sizes = {path.name: path.stat().st_size for path in (ROOT / "docs/pictures").iterdir()}
    assert sizes.keys() == {"neovim.png", "terminal.svg", "vscode.png"}
    assert [name for name, size in sizes.items() if size > 200_000] == []


def test_every_invariant_names_what_holds_it() -> None:
    section = read("ARCHITECTURE.md").partition("## Invariants")[2].partition("\n## ")[0]
    invariants = re.split(r"\n\d+\. ", section)[1:]
    assert len(invariants) == 10
    assert [text for text in invariants if "`tests/" not in text] == []
