"""File names of conversations: `<first words>__<date time>__<id>.json`.

A file without this shape, such as one that the user named, has its stem as id.
"""

import re
import secrets
import unicodedata
from datetime import datetime
from urllib.parse import quote, unquote

from oi_daemon.errors import InvalidError

_ID_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Characters of a new id; those that look like another (i, l, o, 0, 1) are left out."""

_MAX_NAME = 255
"""The longest file name, in bytes, that file systems accept."""
_MAX_ID = 120
"""The longest id, in bytes, that fits into a file name beside the words and the time."""
_MAX_WORDS = 40
"""Most characters of a conversation's first words that its file name holds."""
_MAX_WORDS_BYTES = 100
"""Most bytes of a conversation's first words that its file name holds."""

_NAME = re.compile(r".*__\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d__([^_]+)\.json", re.DOTALL)
_UNDECODED = re.compile("[\ud800-\udfff]")
_FORBIDDEN = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]")
"""Characters that a chosen file name must not have: separators of folders, and control characters,
which a terminal would obey."""


def new_id() -> str:
    """A random id, long enough that no other conversation has it."""
    return "".join(secrets.choice(_ID_LETTERS) for _ in range(8))


def encode_id(conversation: str) -> str:
    """The id in the form that a file's name holds. Any text can be an id.

    Raises:
        InvalidError: it is empty or too long.
    """
    encoded = _quoted(conversation)
    if len(encoded) > _MAX_ID:
        raise InvalidError(
            f"conversation: the id is too long for a file name: {len(encoded)} bytes when encoded,"
            f" {_MAX_ID} at most"
        )
    return encoded


def endings(conversation: str) -> tuple[str, str]:
    """Two endings: a file of this conversation has one of them, and few other files do."""
    return f"__{_quoted(conversation)}.json", f"{conversation}.json"


def id_in(name: str) -> str:
    """The conversation's id that this file name holds, or the name's stem if it holds none."""
    found = _NAME.fullmatch(name)
    return unquote(found[1]) if found else stem(name)


def holds_id(name: str) -> bool:
    """Whether the name was made by `name_for`, and so holds the conversation's id."""
    return _NAME.fullmatch(name) is not None


def with_id(name: str, conversation: str) -> str:
    """This name with another id in the place of its own."""
    return f"{name.rpartition('__')[0]}__{encode_id(conversation)}.json"


def is_text(name: str) -> bool:
    """Whether the name is valid UTF-8, so that it can be sent to a client."""
    return name.isascii() or not _UNDECODED.search(name)


def stem(name: str) -> str:
    """The name without `.json`."""
    return name.removesuffix(".json")


def name_for(conversation: str, text: str) -> str:
    """The name for a new file of a conversation that begins with this text.

    Raises:
        InvalidError: the id is empty, too long, or not valid text.
    """
    time = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    return f"{_words(text) or 'conversation'}__{time}__{encode_id(conversation)}.json"


def chosen_name(filename: str) -> str:
    """The name that the user chose, with its suffix.

    Raises:
        InvalidError: it is not the name of a file in the conversations' folder.
    """
    name = filename if "." in filename.strip(".") else f"{filename}.json"
    if _FORBIDDEN.search(filename) or not filename.strip(". "):
        raise InvalidError(
            "settings.conversation_filename: expected a file name without a folder and control"
            " characters;"
            " conversation_history_path sets the folder"
        )
    if len(name.encode(errors="surrogatepass")) > _MAX_NAME:
        raise InvalidError(f"settings.conversation_filename: longer than {_MAX_NAME} bytes")
    return name


def _quoted(conversation: str) -> str:
    """The id with all characters escaped that have a meaning in file names.

    Raises:
        InvalidError: the id is empty, or not valid text.
    """
    if not conversation:
        raise InvalidError("conversation: expected an id, not empty text")
    try:
        # "_" is escaped too, so that the id cannot hold the "__" that separates it.
        return quote(conversation, safe="").replace("_", "%5F")
    except UnicodeEncodeError:
        raise InvalidError("conversation: the id holds half of a character") from None


def _words(text: str) -> str:
    """The text's first words, joined by `_`; only letters and digits, of any script."""
    plain = re.sub(r"['’]", "", unicodedata.normalize("NFC", text))
    spaced = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in plain)
    words = ""
    for word in spaced.split():
        longer = f"{words}_{word}" if words else word
        if len(longer) > _MAX_WORDS and words:
            break
        # Emoji hold combining marks, which count as letters above but make no word alone.
        if any(c.isalnum() for c in word):
            words = longer
    return words[:_MAX_WORDS].encode()[:_MAX_WORDS_BYTES].decode(errors="ignore")
