"""Requests to a small model: a short prompt, one worked example, Markdown fences.

A model of a billion parameters does not follow long instructions and writes broken tool calls, but
it imitates an example well. The grammar forces each reply to be one fence or plain text.
"""

import re
from collections.abc import Sequence
from typing import assert_never

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model.dialects.requests import outcome
from oi_daemon.settings import DEFAULT_SYSTEM_MESSAGE

COMPACT_SYSTEM_MESSAGE = """\
You complete the user's request by running Python code. Always run code, even for what you know. \
Reply first with one ```python block that prints what you need; you will get its output. When the \
output answers the request, reply with one short sentence that tells the result, and no code."""

WORKED_EXAMPLE: tuple[Message, ...] = (
    UserMessage("What is the average length of the words in 'one two three four'?"),
    CodeMessage(
        "python",
        "words = 'one two three four'.split()\n"
        "average = sum(len(word) for word in words) / len(words)\n"
        "print(average)",
        output="3.75",
    ),
    AssistantMessage("The average length is 3.75 letters."),
)

GRAMMAR = r"""
root ::= fence | text
fence ::= "```python\n" line+ "```"
line ::= ([^`\n] [^\n]*)? "\n"
text ::= [^`\n] [^`]*
"""
"""Grammar in llama.cpp's notation: one fence of Python, or plain text."""

_TRY_AGAIN = "\n\nThe code failed. Do it another way, with the standard library."
_GIVE_UP = "\n\nThe code failed again. Write no more code: say in one short sentence what failed."
_ERROR = re.compile(r"^[\w.]*(?:Error|Exception)(?::.*)?\s*\Z", re.MULTILINE)
"""Matches the last line of a Python traceback."""


def compact_messages(
    messages: Sequence[Message], system_message: str = DEFAULT_SYSTEM_MESSAGE
) -> list[dict[str, str]]:
    """Return the request's messages for a small model.

    The default system message is replaced by a short one; text that the user added to it is kept.
    A system message of the user's own is sent unchanged.
    """
    system = system_message.replace(DEFAULT_SYSTEM_MESSAGE, COMPACT_SYSTEM_MESSAGE)
    wire = [{"role": "system", "content": system}]
    failures = 0
    for message in (*WORKED_EXAMPLE, *messages):
        match message:
            case UserMessage(text) | AssistantMessage(text):
                failures = 0
                _add(wire, message.role, text)
            case CodeMessage(language, code, output):
                failures = failures + 1 if _failed(output) else 0
                _add(wire, "assistant", f"```{language}\n{code}\n```")
                _add(wire, "user", _outcome(message, failures))
            case _:
                assert_never(message)
    return wire


def _failed(output: str | None) -> bool:
    """Return whether the output ends like a Python traceback."""
    return output is not None and _ERROR.search(output) is not None


def _outcome(code: CodeMessage, failures: int) -> str:
    """Return a block's output for the model, and after a failure what to do next.

    Without this advice, the model gives up at the first error, or never does.

    Args:
        failures: how many blocks in a row have failed, this one included.
    """
    if code.output is None:
        return "The code was not run: the user declined."
    advice = ("", _TRY_AGAIN, _TRY_AGAIN, _GIVE_UP)[min(failures, 3)]
    text = outcome(code) if code.output or code.displays else "(none)"
    return f"Output:\n{text}{advice}"


def _add(wire: list[dict[str, str]], role: str, content: str) -> None:
    """Add text of a role, joined to its previous message, because roles must alternate."""
    if wire[-1]["role"] == role:
        wire[-1]["content"] += "\n\n" + content
    else:
        wire.append({"role": role, "content": content})
