"""What code has done to files, in the words of magic commands."""

from collections.abc import Sequence

from oi_daemon.messages.shapes import (
    FileBlockDict,
    FileDiffDict,
    FileEntryDict,
    FilesUndoneDict,
    WantedFilesDict,
)

_FILES = 6
"""Most files of a block that a list names."""


def wanted_files(argument: str) -> WantedFilesDict:
    """Return which files an argument means: a block's, those at a path, or the latest turn's."""
    if argument.isdecimal():
        return {"block": int(argument)}
    return {"path": argument} if argument else {}


def file_blocks_words(blocks: Sequence[FileBlockDict]) -> str:
    """List what all blocks have done to files."""
    lines = [_file_block_line(block) for block in blocks]
    hint = ["%files NUMBER shows one of them; %undo files takes the latest turn's back."]
    return "\n".join([*lines, *hint]) if lines else "Code has changed no files yet."


def _file_block_line(block: FileBlockDict) -> str:
    what = block.get("language") or "undo"
    named = ", ".join(file_words(file) for file in block["files"][:_FILES])
    more = f" and {len(block['files']) - _FILES} more" if len(block["files"]) > _FILES else ""
    return f"{block['block']:>4}  {what}: {named}{more}"


def file_words(file: FileEntryDict) -> str:
    """A file, and what has become of it."""
    more = [file["mode"]] if "mode" in file else []
    more += ["undone"] if file.get("undone") else []
    more += [f"cannot be undone: {file['lost']}"] if "lost" in file else []
    return f"{file['path']} ({', '.join([file['change'], *more])})"


def file_diffs_words(diffs: Sequence[FileDiffDict]) -> str:
    """Show the differences of files; of what is no text, what has become of it."""
    if not diffs:
        return "There are no such changes of files."
    return "\n".join(each["diff"].rstrip("\n") or file_words(each["file"]) for each in diffs)


def files_undone_words(undone: FilesUndoneDict) -> str:
    """Say what an undo has done to files."""
    lines = [f"  {file_words(file)}" for file in undone["files"]]
    if lines:
        lines = ["Undone, by these changes (%redo takes that back):", *lines]
    elif not undone["refused"]:
        return "There is nothing to undo."
    if undone["refused"]:
        lines.append("These stay as they are:")
        lines += [f"  {each['path']}: {each['why']}" for each in undone["refused"]]
    return "\n".join(lines)
