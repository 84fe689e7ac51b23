"""Requests to a small model: a short prompt, two worked examples, Markdown fences.

A model of a billion parameters does not follow long instructions and writes broken tool calls, but
it imitates examples well. In them each block begins with a comment: a small model computes what is
wanted far more often when it has said so before. The grammar forces each reply to be one fence or
plain text, and a block after a failure to begin with what was wrong.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, assert_never

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model import pictures
from oi_daemon.model.dialects.block_text import outcome
from oi_daemon.model.dialects.requests import ChatMessage, add_text
from oi_daemon.model.environment import PythonFacts
from oi_daemon.settings import DEFAULT_SYSTEM_MESSAGE

COMPACT_SYSTEM_MESSAGE = """\
You complete the user's request by running Python code. Always run code, even for what you know. \
Reply first with one ```python block. It begins with a comment that says exactly what is wanted, \
and it prints what the answer needs; you will get its output. If files have to be made or changed, \
the code does that. Files are in the current folder: use their names, columns and delimiters \
exactly as they are shown. When the output answers the request, reply with no code: with the form \
of answer that the request asks for or, if it asks for none, with one short sentence that tells \
the result."""

WORKED_EXAMPLE: tuple[Message, ...] = (
    UserMessage(
        "Files in the current folder:\nplants.txt:\n    plant;height\n    fern;1,5\n"
        "    oak;20,0\n\nWhich plants in plants.txt are higher than the average?"
    ),
    CodeMessage(
        "python",
        "# Wanted: the names of the plants whose height is above the mean of all heights.\n"
        "# The file has a header, columns are separated by ; and numbers have decimal commas.\n"
        "import csv\n"
        "with open('plants.txt', newline='') as file:\n"
        "    rows = list(csv.DictReader(file, delimiter=';'))\n"
        "heights = {row['plant']: float(row['height'].replace(',', '.')) for row in rows}\n"
        "mean = sum(heights.values()) / len(heights)\n"
        "for plant, height in heights.items():\n"
        "    if height > mean:\n"
        "        print(plant, height)",
        output="oak 20.0",
    ),
    AssistantMessage("Only the oak is higher than the average: 20.0."),
    UserMessage(
        "Write the even numbers below 7 to even.txt, separated by spaces."
        " Answer in this form: count=<how many>"
    ),
    CodeMessage(
        "python",
        "# Wanted: a file even.txt whose one line has the even numbers from 0 to 6.\n"
        "text = ' '.join(str(n) for n in range(0, 7, 2))\n"
        "with open('even.txt', 'w') as file:\n"
        "    file.write(text + '\\n')\n"
        "print(f'count={len(text.split())}')",
        output="count=4",
    ),
    AssistantMessage("count=4"),
)

GRAMMAR = r"""
root ::= fence | text
fence ::= "```python\n" line+ "```"
line ::= ([^`\n] [^\n]*)? "\n"
text ::= [^`\n] [^`]*
"""
"""Grammar in llama.cpp's notation: one fence of Python, or plain text."""
CODE_GRAMMAR = GRAMMAR.replace("fence | text", "fence").replace(
    "line+", '"# What was wrong: " [^\\n]+ "\\n" line+'
)
"""Grammar in llama.cpp's notation: one fence of Python that says first what was wrong before, and
nothing else."""
RETRY_TEMPERATURE = 0.7
"""Temperature after the model has repeated a block, because at 0 it would repeat it for ever."""

_TRY_AGAIN = "\n\nThat failed. Correct the code: write the whole block again, in another way."
_REPEATED = (
    "That is the same code as before, so it was not run again. Write different code.\n\n{facts}"
)
_GIVE_UP = "\n\nThe code failed again. Write no more code: say in one short sentence what failed."
MOST_FAILURES = 3
"""How often in a row the model may try again after a failure."""
_ERROR = re.compile(r"^[\w.]*(?:Error|Exception)(?::.*)?\s*\Z", re.MULTILINE)
"""Matches the last line of a Python traceback."""


def compact_messages(
    messages: Sequence[Message],
    system_message: str = DEFAULT_SYSTEM_MESSAGE,
    python: PythonFacts | None = None,
    facts: str = "",
) -> list[ChatMessage]:
    """Return the request's messages for a small model.

    The default system message is replaced by a short one; text that the user added to it is kept.
    A system message of the user's own is sent unchanged.

    Args:
        python: what is installed, which the default system message tells.
        facts: what `folder_facts` returns; it stands before the person's latest words.
    """
    compact = COMPACT_SYSTEM_MESSAGE + _installed(python)
    system = system_message.replace(DEFAULT_SYSTEM_MESSAGE, compact)
    wire = [{"role": "system", "content": system}]
    asked = max((i for i, m in enumerate(messages) if isinstance(m, UserMessage)), default=-1)
    latest = messages[asked] if asked >= 0 else None
    failures = 0
    seen: set[str] = set()
    for message in (*WORKED_EXAMPLE, *messages):
        match message:
            case UserMessage(text) | AssistantMessage(text):
                if isinstance(message, UserMessage):
                    seen.clear()
                    text = "\n".join([text, *pictures.attached_words(message.displays, ())])
                failures = 0
                add_text(
                    wire,
                    message.role,
                    f"{facts}\n\n{text}" if facts and message is latest else text,
                )
            case CodeMessage(language, code, output):
                failures = failures + 1 if _failed(output) else 0
                add_text(wire, "assistant", f"```{language}\n{code}\n```")
                repeated = output is None and bare(code) in seen
                add_text(
                    wire,
                    "user",
                    _REPEATED.format(facts=facts) if repeated else _outcome(message, failures),
                )
                seen.add(bare(code))
            case _:
                assert_never(message)
    return wire


def compact_parameters(messages: Sequence[Message]) -> dict[str, Any]:
    """Return the parameters that depend on the conversation: the grammar, and the temperature.

    After a block that failed or was repeated, the model must write another one: left free, it
    gives up, and tells the person what it was told about its error.
    """
    failures = 0
    for message in reversed(messages):
        if not isinstance(message, CodeMessage):
            break
        if not _failed(message.output) and not is_repeated(message, messages):
            break
        failures += 1
    if not failures or failures > MOST_FAILURES:
        return {}
    last = messages[-1]
    if isinstance(last, CodeMessage) and is_repeated(last, messages):
        return {"grammar": CODE_GRAMMAR, "temperature": RETRY_TEMPERATURE}
    return {"grammar": CODE_GRAMMAR}


def is_repeated(block: CodeMessage, messages: Sequence[Message]) -> bool:
    """Return whether a block was not run because the same one ran before in this turn."""
    if block.output is not None:
        return False
    return has_run(block.code, messages)


def has_run(code: str, messages: Sequence[Message]) -> bool:
    """Return whether this code has run since the person's latest words."""
    for message in reversed(messages):
        if isinstance(message, UserMessage):
            return False
        if (
            isinstance(message, CodeMessage)
            and message.output is not None
            and bare(message.code) == bare(code)
        ):
            return True
    return False


def bare(code: str) -> str:
    """Return the code without its lines of comment and its empty lines, which change nothing."""
    lines = (line.rstrip() for line in code.splitlines())
    return "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))


def _installed(python: PythonFacts | None) -> str:
    """Return a sentence about the packages that small models like to use."""
    if python is None:
        return ""
    if not python.installed:
        return " Only the standard library is installed: no pandas, no numpy."
    missing = [name for name in ("pandas", "pillow") if name not in python.installed]
    without = f", not {' and '.join(missing)}" if missing else ""
    return f" Installed: {', '.join(python.installed)}{without}."


def _failed(output: str | None) -> bool:
    """Return whether the output ends like a Python traceback."""
    return output is not None and _ERROR.search(output) is not None


def _outcome(code: CodeMessage, failures: int) -> str:
    """Return a block's output for the model, and after a failure what to do next.

    Without this advice, the model gives up at the first error, or never does. It is not told how
    long the block took, because it takes that for the result.

    Args:
        failures: how many blocks in a row have failed, this one included.
    """
    if code.output is None:
        return "The code was not run: the user declined."
    advice = _GIVE_UP if failures > MOST_FAILURES else _TRY_AGAIN if failures else ""
    text = outcome(replace(code, seconds=None)) if code.output or code.displays else "(none)"
    return f"Output:\n{_short(text) if failures else text}{advice}"


def _short(output: str) -> str:
    """Return an output that ends in a traceback, with its lines of the block alone."""
    before, begins, trace = output.rpartition("Traceback (most recent call last):\n")
    lines = trace.splitlines()
    if not begins or len(lines) < 6:
        return output
    own = [i for i, line in enumerate(lines) if '"<block' in line]
    kept = [line for i in own for line in lines[i : i + 2]]
    return "\n".join([f"{before}{begins.rstrip()}", *kept[-4:], lines[-1]])
