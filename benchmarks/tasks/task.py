"""A task: a folder with files, a question about it, and a check of what came of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Check = Callable[[str, Path], bool]
"""Returns whether the answer's text and the folder are right."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task."""

    name: str
    question: str
    files: Callable[[Path], object] = lambda folder: None
    """Makes the files in the folder."""
    check: Check


def says(*words: str) -> Check:
    """Return a check that each of these words or numbers stands in the answer."""
    return lambda answer, folder: all(_stands_in(word, answer) for word in words)


def file_is(name: str, content: str) -> Check:
    """Return a check that a file holds this text, apart from white space at its end."""
    return lambda answer, folder: (
        (folder / name).is_file() and (folder / name).read_text().strip() == content.strip()
    )


def holds(check: Callable[[Path], bool]) -> Check:
    """Return a check of the folder alone. A check that raises has failed."""

    def checked(answer: str, folder: Path) -> bool:
        try:
            return check(folder)
        except Exception:
            return False

    return checked


def _stands_in(word: str, answer: str) -> bool:
    """Return whether a word stands in the answer, or a number, however it is written."""
    if not re.fullmatch(r"-?\d+(\.\d+)?", word):
        return word.lower() in answer.lower()
    numbers = re.findall(r"-?\d+(?:\.\d+)?", re.sub(r"(?<=\d),(?=\d{3})", "", answer))
    return any(abs(float(number) - float(word)) < 0.006 for number in numbers)
