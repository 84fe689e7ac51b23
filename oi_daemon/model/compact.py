"""How a small model is asked: a short prompt, one worked example, Markdown fences.

A model of a billion parameters loses its way in long instructions and mangles tool calls, but
imitates an example well. The grammar keeps its replies in shape: one fence, or plain text.
"""

import re
from collections.abc import Sequence
from typing import assert_never

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.settings import DEFAULT_SYSTEM_MESSAGE

COMPACT_SYSTEM_MESSAGE = """\
You complete the user's request by running Python code. Always run code, even for what you know. \
Reply first with one ```python block that prints what you need; you will get its output. When the \
output answers the request, reply with one short sentence and no code."""

WORKED_EXAMPLE: tuple[Message, ...] = (
    UserMessage("How many days are there from 2024-02-03 to 2024-03-17?"),
    CodeMessage(
        "python",
        "from datetime import date\n\n"
        "days = (date(2024, 3, 17) - date(2024, 2, 3)).days\n"
        "print(days)",
        output="43",
    ),
    AssistantMessage("There are 43 days."),
)

GRAMMAR = r"""
root ::= fence | text
fence ::= "```python\n" line+ "```"
line ::= ([^`\n] [^\n]*)? "\n"
text ::= [^`\n] [^`]*
"""

_ADVICE = "\n\nThe code failed. Do it another way, with the standard library."
_ERROR = re.compile(r"^[\w.]*(?:Error|Exception)(?::.*)?\s*\Z", re.MULTILINE)


def compact_messages(
    messages: Sequence[Message], system_message: str = DEFAULT_SYSTEM_MESSAGE
) -> list[dict[str, str]]:
    """The request's messages for a small model.

    What the user added to the default system message is kept; another one of theirs is used as
    it is.
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
                _add(wire, "user", _outcome(output, failures))
            case _:
                assert_never(message)
    return wire


def _failed(output: str | None) -> bool:
    """Whether it ends like a Python traceback."""
    return output is not None and _ERROR.search(output) is not None


def _outcome(output: str | None, failures: int) -> str:
    """What became of a block. Without a word of advice the model gives up at the first error, and
    with one at every error it never does."""
    if output is None:
        return "The code was not run: the user declined."
    advice = _ADVICE if 0 < failures <= 2 else ""
    return f"Output:\n{output or '(none)'}{advice}"


def _add(wire: list[dict[str, str]], role: str, content: str) -> None:
    """Chat templates want the roles to take turns: what one role says in a row is joined."""
    if wire[-1]["role"] == role:
        wire[-1]["content"] += "\n\n" + content
    else:
        wire.append({"role": role, "content": content})
