"""Asking the person: whether a block may run, and for the lines that running code reads."""

import sys
from typing import Literal, TypeAlias

from oi_daemon.messages.shapes import ChunkDict
from oi_daemon.terminal.conversation import Answerable
from oi_daemon.terminal.editor import edit_text
from oi_daemon.terminal.interrupts import CtrlC
from oi_daemon.terminal.line import has_terminal, is_terminal, read_line
from oi_daemon.terminal.printing import print_warning

ApprovalKey: TypeAlias = Literal["run", "skip", "edit", "stop", "always"]

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
ASK_AGAIN = "  Please say y, n, e, s or a; n and some words tells the model why: "
QUESTION_WITHOUT_EDIT = "  Run this code? (y)es, (n)o, (s)top, (a)lways: "
NO_EDITOR = "There is no terminal to open an editor in."
NOBODY = (
    "Not run: there is nobody to ask. To let code run unasked, turn auto_run on:"
    " `interpreter -y`, or `interpreter.auto_run = True` in Python."
)


class Person:
    """Answers a conversation's questions at the terminal. The end of input is a no."""

    def __init__(
        self,
        conversation: Answerable,
        interrupts: CtrlC | None = None,
        *,
        nobody_to_ask: bool = False,
    ) -> None:
        """
        Args:
            nobody_to_ask: answer every question as if the input had ended.
        """
        self._conversation = conversation
        self._nobody_to_ask = nobody_to_ask
        self._interrupts = interrupts or CtrlC()
        self.next_message: str | None = None
        """What the person said in place of a yes: it is the next message to the model."""
        self.was_absent = False
        """Whether code was not run because there was nobody to ask."""

    def is_asked(self, chunk: ChunkDict) -> bool:
        """Whether the chunk waits for an answer."""
        return "input" in chunk or ("executing" in chunk and self._conversation.awaits_approval)

    def answer(self, chunk: ChunkDict) -> None:
        """Ask the person, and answer what the chunk waits for."""
        if "input" in chunk:
            self._conversation.input(self._read(**chunk["input"]))
        elif "executing" in chunk:
            self._approve(**chunk["executing"])

    def _approve(self, code: str, language: str) -> None:
        """Ask until there is an answer that is understood, and give it to the conversation."""
        question = first = QUESTION if has_terminal() else QUESTION_WITHOUT_EDIT
        while True:
            line = self._read(question)
            if line is None:
                return self._decline()
            answer, words = _parse_answer(line)
            question = ASK_AGAIN if answer is None else first
            match answer:
                case "edit" if not has_terminal():
                    print_warning(NO_EDITOR)
                case "edit":
                    changed = edit_text(code, self._suffix(language))
                    if changed not in (None, code):
                        return self._conversation.approve("run", changed)
                case "skip" if words:
                    self.next_message = words
                    return self._conversation.approve("stop")
                case "run" | "skip" | "stop" | "always":
                    return self._conversation.approve(answer)

    def _suffix(self, language: str) -> str:
        """The suffix of a language's files, by which an editor knows how to colour them."""
        for known in self._conversation.languages():
            if language in (known["name"], *known["aliases"]):
                return known["suffix"]
        return ".txt"

    def _decline(self) -> None:
        """The input has ended: stop the turn, and warn if there is no person at all."""
        self.was_absent = self._nobody_to_ask or not is_terminal(sys.stdin)
        if self.was_absent:
            print_warning(NOBODY)
        self._conversation.approve("stop")

    def _read(self, prompt: str, password: bool = False) -> str | None:
        """A line from the person; None at the end of input."""
        if self._nobody_to_ask:
            return None
        with self._interrupts.wait():
            return read_line(prompt, password=password)


def _parse_answer(line: str) -> tuple[ApprovalKey | None, str]:
    """The answer, None if it is not understood, and the words after it."""
    word, _, words = line.strip().partition(" ")
    answer = _ANSWERS.get(word.lower().rstrip(",.:;!"))
    if words and answer != "skip":
        return None, ""
    return answer, words.strip()
