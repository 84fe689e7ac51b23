"""A conversation that knows what its code has done to files, and can undo it."""

from typing import TYPE_CHECKING

from oi_daemon.client.queries import QueriedConversation

if TYPE_CHECKING:
    from oi_daemon.messages.shapes import FileBlockDict, FileDiffDict, FilesUndoneDict


class ChangedFiles(QueriedConversation):
    """Shows and undoes what blocks have done to files."""

    def file_changes(self) -> "list[FileBlockDict]":
        """What the blocks of this conversation have done to files, the oldest first."""
        with self._daemon() as remote:
            return remote.file_changes()

    def file_diffs(
        self, path: str | None = None, *, block: int | None = None, turn: int | None = None
    ) -> "list[FileDiffDict]":
        """Files before and after a turn or a block. Default: the latest turn's.

        Args:
            path: only what is there and below.
        """
        with self._daemon() as remote:
            return remote.file_diffs({"path": path, "block": block, "turn": turn})

    def undo_files(
        self,
        path: str | None = None,
        *,
        block: int | None = None,
        turn: int | None = None,
        redo: bool = False,
    ) -> "FilesUndoneDict":
        """Undo what a turn or a block has done to files. Default: the latest turn not undone yet.

        A path that was changed since stays as it is, and is in `refused`.

        Args:
            path: only what is there and below, by the latest block that has changed it.
            redo: undo the latest undo.
        """
        with self._daemon() as remote:
            return remote.undo_files({"path": path, "block": block, "turn": turn, "redo": redo})
