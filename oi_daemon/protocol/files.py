"""What blocks have done to files, on the wire."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

FileChangeKind = Literal["created", "changed", "deleted"]


class FileEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What has become of a path."""

    path: Annotated[
        str, Meta(description="Relative to the folder in which code runs, if it is inside.")
    ]
    change: FileChangeKind
    kind: Literal["file", "folder", "link", "pipe"]
    size: Annotated[int, Meta(description="Bytes; of what was deleted, before.")]
    was: Annotated[int | None, Meta(description="Bytes before, if its content was changed.")] = None
    mode: Annotated[
        str | None, Meta(description="Changed permissions, as in `rw-r--r-- to rwxr-xr-x`.")
    ] = None
    lost: Annotated[str | None, Meta(description="Why it cannot be undone, for a person.")] = None
    undone: bool = False


class FileBlock(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a block, or an undo, has done to files."""

    block: Annotated[int, Meta(description="Its number in the conversation.")]
    files: list[FileEntry]
    turn: Annotated[
        int | None, Meta(description="Left out if it was in another run of the daemon.")
    ] = None
    language: Annotated[str | None, Meta(description="Left out for an undo.")] = None
    undoes: Annotated[list[int], Meta(description="Of an undo: the numbers that it undid.")] = []
    cut_off: Annotated[
        bool,
        Meta(
            description="The daemon was killed during the block, so that what others changed after"
            " that may be among it."
        ),
    ] = False


class FileBlocks(msgspec.Struct, kw_only=True):
    blocks: Annotated[list[FileBlock], Meta(description="The oldest first.")]
    problem: Annotated[str | None, Meta(description="Why nothing is kept, for a person.")]


class FileDiff(msgspec.Struct, kw_only=True):
    """A file before and after."""

    block: Annotated[int, Meta(description="The latest one that has changed it.")]
    file: FileEntry
    before: Annotated[
        str | None, Meta(description="Its text; null: it was not there, or `text` is false.")
    ]
    after: str | None
    text: Annotated[bool, Meta(description="Whether both are text, kept, and at most 1 MB long.")]
    diff: Annotated[str, Meta(description="As `diff -u` writes it.")]


class FileDiffs(msgspec.Struct, kw_only=True):
    files: list[FileDiff]


class Refusal(msgspec.Struct, kw_only=True):
    """A path that stays as it is."""

    path: str
    why: Annotated[str, Meta(description="For a person.")]


class FilesUndone(msgspec.Struct, kw_only=True):
    block: Annotated[
        int | None,
        Meta(description="The number of the undo, which can itself be undone; null: none was done"),
    ]
    files: Annotated[list[FileEntry], Meta(description="What it has done.")]
    refused: list[Refusal]
