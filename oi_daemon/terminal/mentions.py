"""Files that a message names: by `@path`, or by the whole path of a picture, as it is pasted."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

_WORD = re.compile(r"""(?<!\S)\(?(@?)("[^"\n]+"|'[^'\n]+'|(?:\\.|[^\s\\])+)""")
"""A word of a message, with the `@` before it: in quotes, or with spaces after backslashes."""
_ESCAPED = re.compile(r"\\(.)")
_AT_THE_END = ".,;:!?)"
"""What may follow on a path in a sentence."""
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")
_MOST_PATHS = 200
"""Most files and folders that are offered to complete a path."""


def mentioned_files(message: str) -> list[Path]:
    """The files that the message names, each once. A word that names no file is only a word."""
    found = [path for word in _WORD.finditer(message) if (path := _file(word[2], word[1] == "@"))]
    return list(dict.fromkeys(found))


def path_completions(typed: str) -> Iterator[tuple[str, str]]:
    """What may complete a path, as it is written in a message, and the name that is shown.

    Folders end in a slash; hidden files are offered only after a dot.
    """
    folder, slash, beginning = _plain(typed).rpartition("/")
    try:
        entries = sorted(Path(f"{folder}{slash}" or ".").expanduser().iterdir())
    except (OSError, RuntimeError, ValueError):
        return
    matching = [entry for entry in entries if entry.name.startswith(beginning)]
    shown = [entry for entry in matching if beginning or not entry.name.startswith(".")]
    for entry in shown[:_MOST_PATHS]:
        name = f"{entry.name}/" if entry.is_dir() else entry.name
        yield _written(f"{folder}{slash}{name}"), name


def _file(word: str, is_marked: bool) -> Path | None:
    """The file that a word names; None if it names none.

    Args:
        is_marked: whether an `@` stands before it; without one, it has to be the whole path of a
            picture.
    """
    for text in dict.fromkeys((_plain(word), _plain(word).rstrip(_AT_THE_END))):
        if text.startswith("file://"):
            text = unquote(urlsplit(text).path)
        try:
            path = Path(text).expanduser()
            is_meant = is_marked or (path.is_absolute() and path.suffix.lower() in _PICTURES)
            if text and is_meant and path.is_file():
                return path
        except (OSError, RuntimeError, ValueError):
            continue
    return None


def _plain(word: str) -> str:
    """A word without its quotes or backslashes."""
    if word[:1] in "\"'" and word[:1] == word[-1:] and len(word) > 1:
        return word[1:-1]
    return _ESCAPED.sub(r"\1", word.lstrip("\"'"))


def _written(path: str) -> str:
    """A path as it is written in a message: with backslashes before spaces."""
    return re.sub(r"([\s\\\"'])", r"\\\1", path)
