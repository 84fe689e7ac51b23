"""Removes the prompts of Python and IPython from a session that was pasted as a block.

Lines without a prompt are what the session wrote: they become empty, so that every line keeps its
number. Loaded when a block begins with a prompt.
"""

from __future__ import annotations

import re

_PYTHON = re.compile(r"\s*(>>>|\.\.\.)(?: |(?=\n))(.*\n?)")
"""Matches a line with a prompt of Python."""
_IPYTHON = re.compile(r"\s*(In \[\d+\]:|\.{3,}:) ?(.*\n?)")
"""Matches a line with a prompt of IPython."""


def without_prompts(lines: list[str]) -> list[str]:
    """Return the lines of a session that begins with a prompt as code; other lines as they are.

    Where only the first line has a prompt, and it is IPython's, the rest is code: notebooks are
    printed like that.
    """
    first = next(i for i, line in enumerate(lines) if line.strip())
    prompt = _PYTHON if _PYTHON.fullmatch(lines[first]) else _IPYTHON
    found = [prompt.fullmatch(line) for line in lines]
    prompts = sum(match is not None for match in found)
    if prompts == 0:
        return lines
    if prompts == 1 and prompt is _IPYTHON:
        return [match[2] if match else line for match, line in zip(found, lines)]
    return [match[2] if match else "\n" for match in found]
