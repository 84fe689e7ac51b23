"""Which conversation is in a file whose name the user chose: such a name holds no id."""

from pathlib import Path

import msgspec

from oi_daemon import files


class Names:
    """Kept in a hidden file of the folder. Whoever writes it holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / ".names"

    def read(self) -> dict[str, str]:
        """The id of the conversation in each file, by the file's name; none where it is damaged."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}

    def add(self, name: str, conversation: str) -> None:
        known = self.read()
        if known.get(name) != conversation:
            files.write_private(self._path, msgspec.json.encode({**known, name: conversation}))
