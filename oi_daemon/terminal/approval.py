"""Asking the person: whether a block may run, and for the lines that running code reads."""

import sys
from typing import Any, Literal

from oi_daemon.terminal.conversation import Answerable
from oi_daemon.terminal.editor import edited
from oi_daemon.terminal.interrupts import CtrlC
from oi_daemon.terminal.line import read_line
from oi_daemon.terminal.voice import warn

ApprovalKey = Literal["run", "skip", "edit", "stop", "always"]

_ANSWERS: dict[str, ApprovalKey] = {
    "y": "run",
    "yes": "run",
    "n": "skip",
    "no": "skip",
    "e": "edit",
    "edit": "edit",
    "s": "stop",
    "stop": "stop",
    "a": "always",
    "always": "always",
}
QUESTION = "  Run this code? (y)es, (n)o, (e)dit, (s)top, (a)lways: "
AGAIN = "  Please say y, n, e, s or a; n and some words tells the model why: "
NOBODY = (
    "Not run: there is nobody to ask. To allow code to run unasked, use `interpreter -y`"
    " (the setting auto_run)."
)


class Person:
    """Answers a conversation's questions at the terminal. End of input is a no."""

    def __init__(
        self,
        conversation: Answerable,
        interrupts: CtrlC | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """
        Args:
            alone: nobody is there: every question meets the end of input.
        """
        self._conversation = conversation
        self._alone = alone
        self._interrupts = interrupts or CtrlC()
        self.words: str | None = None
        """What the person said instead of a yes: the next message."""
        self.absent = False
        """Whether code was not run because there was nobody to ask."""

    def is_asked(self, chunk: dict[str, Any]) -> bool:
        return "input" in chunk or ("executing" in chunk and self._conversation.awaits_approval)

    def answer(self, chunk: dict[str, Any]) -> None:
        """Ask, and answer what the chunk waits for."""
        if "input" in chunk:
            self._conversation.input(self._line(**chunk["input"]))
        else:
            self._approve(**chunk["executing"])

    def _approve(self, code: str, language: str) -> None:
        question = QUESTION
        while True:
            said = self._line(question)
            if said is None:
                return self._leave()
            answer, words = _understood(said)
            question = AGAIN if answer is None else QUESTION
            match answer:
                case "edit":
                    changed = edited(code, self._suffix(language))
                    if changed not in (None, code):
                        return self._conversation.approve("run", changed)
                case "skip" if words:
                    self.words = words
                    return self._conversation.approve("stop")
                case "run" | "skip" | "stop" | "always":
                    return self._conversation.approve(answer)

    def _suffix(self, language: str) -> str:
        """Suffix of the language's files."""
        for known in self._conversation.languages():
            if language in (known["name"], *known["aliases"]):
                return str(known["suffix"])
        return ".txt"

    def _leave(self) -> None:
        self.absent = self._alone or not sys.stdin.isatty()
        if self.absent:
            warn(NOBODY)
        self._conversation.approve("stop")

    def _line(self, prompt: str, password: bool = False) -> str | None:
        if self._alone:
            return None
        with self._interrupts.wait():
            return read_line(prompt, password=password)


def _understood(said: str) -> tuple[ApprovalKey | None, str]:
    """The answer, and the words after it."""
    word, _, words = said.strip().partition(" ")
    answer = _ANSWERS.get(word.lower().rstrip(",.:;!"))
    if words and answer != "skip":
        return None, ""
    return answer, words.strip()
