"""Random changes of a folder, and its picture byte for byte."""

import os
import random
import stat
from collections.abc import Iterator
from pathlib import Path

LARGE = 3 << 20


def fill(folder: Path, count: int = 60) -> None:
    """Put files of all kinds into a folder."""
    chance = random.Random(1)
    for number in range(count):
        place = folder / "".join(f"d{digit}/" for digit in str(number)[:-1])
        place.mkdir(parents=True, exist_ok=True)
        (place / f"f{number}.txt").write_bytes(chance.randbytes(chance.randrange(3000)))
    (folder / "large.bin").write_bytes(chance.randbytes(LARGE))
    (folder / "link").symlink_to("f1.txt")
    os.link(folder / "f1.txt", folder / "other name")
    os.mkfifo(folder / "pipe")
    (folder / os.fsdecode(b"\xff\xfe name")).write_text("a name that is no text")


def picture(folder: Path) -> dict[str, tuple[object, ...]]:
    """What is in a folder: kinds, modes, contents, links, and which names are one file."""
    found = dict[str, tuple[object, ...]]()
    names = dict[int, str]()
    for path in [folder, *sorted(folder.rglob("*"))]:
        state, name = path.lstat(), str(path.relative_to(folder))
        if stat.S_ISREG(state.st_mode):
            same = names.setdefault(state.st_ino, name) if state.st_nlink > 1 else name
            found[name] = ("file", oct(state.st_mode), path.read_bytes(), same)
        elif stat.S_ISLNK(state.st_mode):
            found[name] = ("link", str(path.readlink()))
        else:
            found[name] = (oct(state.st_mode),)
    return found


def change(folder: Path, chance: random.Random, times: int) -> None:
    """Change a folder at random, as code would."""
    for _ in range(times):
        step = chance.choice(_STEPS)
        try:
            step(folder, chance)
        except (OSError, IndexError):
            continue


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def _folders(folder: Path) -> list[Path]:
    return [folder, *sorted(p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink())]


def _new(folder: Path, chance: random.Random) -> Path:
    return chance.choice(_folders(folder)) / f"new{chance.randrange(30)}"


def _write(folder: Path, chance: random.Random) -> None:
    chance.choice(_files(folder)).write_bytes(chance.randbytes(chance.randrange(2000)))


def _patch(folder: Path, chance: random.Random) -> None:
    with chance.choice(_files(folder)).open("r+b") as file:
        file.seek(chance.randrange(1000))
        file.write(b"patched")


def _same_size_and_time(folder: Path, chance: random.Random) -> None:
    path = chance.choice(_files(folder))
    state = path.stat()
    path.write_bytes(chance.randbytes(state.st_size))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _create(folder: Path, chance: random.Random) -> None:
    _new(folder, chance).write_bytes(chance.randbytes(chance.randrange(2000)))


def _create_large(folder: Path, chance: random.Random) -> None:
    _new(folder, chance).write_bytes(chance.randbytes(LARGE))


def _remove(folder: Path, chance: random.Random) -> None:
    chance.choice(_files(folder)).unlink()


def _remove_all(folder: Path, chance: random.Random) -> None:
    import shutil

    if chance.random() < 0.2:
        shutil.rmtree(chance.choice(_folders(folder)[1:]))


def _rename(folder: Path, chance: random.Random) -> None:
    chance.choice([*_files(folder), *_folders(folder)[1:]]).rename(_new(folder, chance))


def _replace(folder: Path, chance: random.Random) -> None:
    chance.choice(_files(folder)).replace(chance.choice(_files(folder)))


def _chmod(folder: Path, chance: random.Random) -> None:
    chance.choice(_files(folder)).chmod(chance.choice([0o600, 0o644, 0o755, 0o400]))


def _chmod_folder(folder: Path, chance: random.Random) -> None:
    chance.choice(_folders(folder)).chmod(chance.choice([0o700, 0o755, 0o750]))


def _symlink(folder: Path, chance: random.Random) -> None:
    _new(folder, chance).symlink_to(chance.choice(_files(folder)).name)


def _link(folder: Path, chance: random.Random) -> None:
    os.link(chance.choice(_files(folder)), _new(folder, chance))


def _mkdir(folder: Path, chance: random.Random) -> None:
    _new(folder, chance).mkdir()


def _kind(folder: Path, chance: random.Random) -> None:
    path = chance.choice(_files(folder))
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("a folder now")


_STEPS = (
    *(_write, _patch, _same_size_and_time, _create, _create_large, _remove, _remove_all, _rename),
    *(_replace, _chmod, _chmod_folder, _symlink, _link, _mkdir, _kind, _write, _create),
)


def seeds(count: int) -> Iterator[int]:
    """The seeds of a test: more with the environment variable OI_UNDO_SEEDS."""
    yield from range(int(os.environ.get("OI_UNDO_SEEDS", str(count))))
