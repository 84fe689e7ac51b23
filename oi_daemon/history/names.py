"""Which conversation is in a file whose name the user chose: such a name holds no id.

Kept in the application's own folder, so that the user's holds nothing but what was asked for.
"""

from pathlib import Path

import msgspec

from oi_daemon import files
from oi_daemon.settings.paths import conversations_path


def ids_in(folder: Path) -> dict[str, str]:
    """The conversation's id by the file's name, of the files in a folder that the user named."""
    ids = {Path(path): conversation for path, conversation in _read().items()}
    return {path.name: conversation for path, conversation in ids.items() if path.parent == folder}


def remember(path: Path, conversation: str) -> None:
    known = _read()
    if known.get(str(path)) == conversation:
        return
    files.make_private(_index().parent)
    with files.locked(_index().parent):
        known = {kept: it for kept, it in _read().items() if Path(kept).exists()}
        files.write_private(_index(), msgspec.json.encode({**known, str(path): conversation}))


def _index() -> Path:
    return conversations_path().with_name("conversation-names")


def _read() -> dict[str, str]:
    """All that is known; nothing where the file is damaged."""
    try:
        return msgspec.json.decode(_index().read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}
