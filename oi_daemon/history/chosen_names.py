"""The ids of conversations in files whose name the user chose: such a name holds no id.

They are kept in one file in the application's own folder, because the user's folder is to hold
nothing but what was asked for. Without an entry here, the file's stem is the id.
"""

from pathlib import Path

import msgspec

from oi_daemon import files
from oi_daemon.settings.paths import conversations_path


def ids_in(folder: Path) -> dict[str, str]:
    """File name -> conversation id, of the files in this folder whose name the user chose."""
    ids = {Path(path): conversation for path, conversation in _read().items()}
    return {path.name: conversation for path, conversation in ids.items() if path.parent == folder}


def remember(path: Path, conversation: str) -> None:
    """Store which conversation is in a file; return when that survives a loss of power.

    Another file of this folder that had the same id goes by its stem from now on.
    """
    if _read().get(str(path)) == conversation:
        return
    table = _table()
    files.make_private(table.parent, durable=True)
    with files.locked(table.with_suffix(".lock")):
        there = {
            known: id
            for known, id in _read().items()
            if files.state(Path(known)) and (id, Path(known).parent) != (conversation, path.parent)
        }
        data = msgspec.json.encode({**there, str(path): conversation})
        files.write_private(table, data, durable=True)


def _table() -> Path:
    return conversations_path().with_name("conversation-names")


def _read() -> dict[str, str]:
    """Return the conversation id of each path that is stored; nothing if the table is damaged."""
    try:
        return msgspec.json.decode(files.read(_table())[0], type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}
