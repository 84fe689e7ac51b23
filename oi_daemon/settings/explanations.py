"""What msgspec says of a value that does not fit, in plain words."""

from collections.abc import Sequence

import msgspec

NO_NUL = r"^[^\0]*$"
"""Pattern of texts without NUL characters."""
FILE_NAME = r"^(?!\.{1,2}$)[^/\\\x00-\x1f\x7f-\x9f]{1,200}$(?!\n)"
"""Pattern of names of files, without a folder."""

GOT_TEXT = ", got text"
"""The end of an explanation, which says nothing where every value is text."""


def place_of(error: msgspec.ValidationError) -> str:
    """The path of the field that does not fit, such as `max_output`; empty for the whole value."""
    return str(error).partition(" - at ")[2].strip("`").removeprefix("$").removeprefix(".")


def explained(error: msgspec.ValidationError, choices: Sequence[str] = ()) -> str:
    """The error's text, such as "Expected `int`, got `str` - at `$.max_output`", in plain words.

    It never contains the value, which may be a key.

    Args:
        choices: the texts that the field may have, if only some are allowed.
    """
    what = str(error).partition(" - at ")[0]
    if choices:
        what = f"Expected one of {', '.join(choices)}"
    for word, meaning in _WORDS.items():
        what = what.replace(word, meaning)
    return f"{what[:1].lower()}{what[1:]}"


_WORDS = {
    "`int`": "a whole number",
    "`float`": "a number",
    "`str`": "text",
    "`bool`": "true or false",
    "`int | null`": "a whole number",
    "`float | null`": "a number",
    "`str | null`": "text",
    "`object`": "a table",
    "`array`": "a list",
    "`null`": "nothing",
    " of length >= 1": " that is not empty",
    f" matching regex {FILE_NAME!r}": " that names a file without a folder and control characters",
    f" matching regex {NO_NUL!r}": " without NUL characters",
}
"""Plain words for the terms in msgspec's messages."""
