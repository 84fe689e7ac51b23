"""A conversation as a document of another kind: Markdown, a Jupyter notebook, a script."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from oi_daemon.messages.shapes import MessageDict
from oi_daemon.messages.written import DISPLAY_ID

_CELL_MAGICS = {"shell": "bash", "html": "html", "javascript": "javascript"}
"""The cell magic of a Python notebook for a block in another language."""


def as_markdown(messages: Sequence[MessageDict]) -> str:
    """The conversation as Markdown: the person's words as quotes, code and output in fences."""
    return "\n\n".join(part for message in messages for part in _markdown(message)) + "\n"


def as_notebook(messages: Sequence[MessageDict]) -> str:
    """The conversation as a Jupyter notebook for Python (`nbformat` 4.5)."""
    cells = [cell for message in messages for cell in _cells(message)]
    notebook = {
        "cells": [{"id": f"cell-{number}", **cell} for number, cell in enumerate(cells, 1)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return f"{json.dumps(notebook, indent=1, ensure_ascii=False)}\n"


def as_script(messages: Sequence[MessageDict], language: str) -> str:
    """The code of all blocks in a language that were run, in their order."""
    blocks = [
        message.get("code", "").strip("\n")
        for message in messages
        if message.get("language") == language and message.get("status") != "declined"
    ]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def _markdown(message: MessageDict) -> Iterator[str]:
    """The parts of a message as Markdown."""
    words = message.get("message", "").strip()
    if words and message["role"] == "user":
        yield "\n".join(f"> {line}".rstrip() for line in words.split("\n"))
    elif words:
        yield words
    if "code" in message:
        yield _fenced(message["code"], message.get("language", ""))
    if message.get("status") == "declined":
        yield "*Not run.*"
    if output := message.get("output", "").rstrip("\n"):
        yield _fenced(output)
    for display in message.get("displays", ()):
        if isinstance(png := display.get("image/png"), str):
            yield f"![](data:image/png;base64,{''.join(png.split())})"


def _fenced(text: str, language: str = "") -> str:
    """A text in a fence that is longer than any in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


def _cells(message: MessageDict) -> Iterator[dict[str, Any]]:
    """The cells of a message, without their ids."""
    if words := message.get("message", "").strip():
        quoted = message["role"] == "user"
        text = "\n".join(_markdown({"role": "user", "message": words})) if quoted else words
        yield {"cell_type": "markdown", "metadata": {}, "source": _lines(text)}
    if "code" in message:
        yield {
            "cell_type": "code",
            "execution_count": None,
            "metadata": {},
            "outputs": list(_outputs(message)),
            "source": _lines(_cell_code(message)),
        }


def _cell_code(message: MessageDict) -> str:
    """The code of a block, as it runs in a notebook for Python."""
    language, code = message.get("language", ""), message.get("code", "")
    if language == "python":
        return code
    return f"%%{_CELL_MAGICS.get(language, f'script {language}')}\n{code}"


def _outputs(message: MessageDict) -> Iterator[dict[str, Any]]:
    """What a block has written and shown, as the outputs of its cell."""
    if output := message.get("output", ""):
        yield {"output_type": "stream", "name": "stdout", "text": _lines(output)}
    for display in message.get("displays", ()):
        data = {kind: value for kind, value in display.items() if kind != DISPLAY_ID}
        yield {"output_type": "display_data", "metadata": {}, "data": data}


def _lines(text: str) -> list[str]:
    """A text as notebooks have it: its lines, each with its end."""
    return text.splitlines(keepends=True)


DOCUMENTS: Mapping[str, Callable[[Sequence[MessageDict]], str]] = {
    "markdown": as_markdown,
    "jupyter": as_notebook,
}
"""The kinds of documents, by the magic command that writes one."""
