"""Folders of installed programs, which isolated code may read."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

_PYTHONS = ("python3", "python")


def tool_folders(
    command: Sequence[str], environment: dict[str, str], is_writable: Callable[[Path], bool]
) -> Iterator[Path]:
    """Yield the folders of the command, of the programs in PATH, and of the Pythons they link to.

    A Python in PATH may be that of a virtual environment, which is a link to an installation
    elsewhere. Where code can write, it may have put a link to anything, so such a link counts only
    if it leads to an installation of Python.

    Args:
        is_writable: returns whether code can write to a path.
    """
    program = Path(command[0])
    searched = [Path(folder) for folder in environment.get("PATH", "").split(os.pathsep)]
    folders = [program.parent, *searched]
    links = [folder / name for folder in searched for name in _PYTHONS]
    if is_writable(program):
        links.append(program)
    else:
        folders.append(program.resolve().parent)
    for folder in folders:
        if folder.is_absolute() and not is_writable(around := _around(folder)):
            yield from _unless_home(folder, around)
    for target in {link.resolve() for link in links if link.is_absolute() and link.is_symlink()}:
        around = _around(target.parent)
        if not is_writable(around) and _is_python(around):
            yield from _unless_home(target.parent, around)


def _around(folder: Path) -> Path:
    """The folder with all of a program's files: for a folder `bin`, the one around it."""
    return folder.parent if folder.name == "bin" else folder


def _unless_home(folder: Path, around: Path) -> Iterator[Path]:
    """Yield what may be read of a program's folders: neither the home, nor what contains it."""
    home = Path.home()
    if folder not in (home, *home.parents):
        yield folder if around in (home, home / ".local", *home.parents) else around


def _is_python(folder: Path) -> bool:
    """Whether an installation of Python is in a folder: its standard library is there."""
    return any((folder / "lib").glob("py*3*/os.py"))
