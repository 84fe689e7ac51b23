"""Turn after turn at a prompt, with errors in words."""

from typing import Any, Protocol

from rich.console import Console

from oi_daemon.errors import OIError


class Chat(Protocol):
    """What the prompt needs of the library's object."""

    def chat(self, message: str) -> Any: ...


def converse(interpreter: Chat) -> None:
    """Ask until the person leaves: by Ctrl-D, or by Ctrl-C at the prompt."""
    console = Console()
    while True:
        try:
            question = console.input("[bold]> [/]").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return
        if question:
            ask(interpreter, question, console)


def ask(interpreter: Chat, question: str, errors: Console) -> int:
    """One turn, shown; gives an exit code. Ctrl-C interrupts the turn, not the program."""
    try:
        interpreter.chat(question)
    except OIError as error:
        errors.print(str(error), style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        errors.print("Interrupted.", style="yellow")
        return 130
    return 0
