"""What a model reads of a block that was run: its output, displays and exit status, as text."""

import re
from collections.abc import Sequence

from oi_daemon.messages import CodeMessage
from oi_daemon.messages.written import Bundle
from oi_daemon.model import pictures

NOT_RUN = "This code was not run: the user declined it, or interrupted before it ran."
NO_OUTPUT = "(no output)"


def readable(output: str | None) -> str:
    """Return a block's output as the model reads it: as text, without escape codes."""
    if output is None:
        return NOT_RUN
    return ANSI.sub("", output) or NO_OUTPUT


def outcome(code: CodeMessage, sent: Sequence[Bundle] = ()) -> str:
    """Return a block's output for the model, with a line for each display and for its end."""
    lines = [*pictures.words(code.displays, sent), *_end(code)]
    if not lines:
        return readable(code.output)
    return "\n".join([*([readable(code.output)] if code.output else []), *lines])


def _end(code: CodeMessage) -> list[str]:
    """Return the line about a block's exit status and its time, where they say something."""
    facts = [] if code.exit is None else [f"exit status {code.exit}"]
    if (seconds := code.told_seconds) is not None:
        facts.append(f"{seconds:.1f} s")
    return [f"[{', '.join(facts)}]"] if facts else []


ANSI = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[()][0-9A-Z]|[@-Z\\-_])"
)
