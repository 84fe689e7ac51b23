"""The difference between two contents of a file."""

from collections.abc import Sequence

LARGEST = 1 << 20
"""Bytes of a text that is compared line by line."""
_SLOW = 20_000
"""Lines above which no difference is worked out, because that takes long."""


def as_text(data: bytes | None) -> str | None:
    """The text of a file; None if it is none, or too large to be shown."""
    if data is None or len(data) > LARGEST or b"\0" in data:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def unified(path: str, before: str, after: str, *, was: bool, is_there: bool) -> str:
    """A unified diff, as `diff -u` writes it.

    Args:
        was: whether the file was there before.
        is_there: whether it is there after that.
    """
    import difflib  # only a person who looks at a diff needs it

    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    if len(old) + len(new) > _SLOW:
        return ""
    names = f"a/{path}" if was else "/dev/null", f"b/{path}" if is_there else "/dev/null"
    return "".join(_ended(list(difflib.unified_diff(old, new, *names))))


def _ended(lines: Sequence[str]) -> list[str]:
    return [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    ]
