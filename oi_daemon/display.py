"""A stream of chunks as a person sees it in the terminal."""

import contextlib
import getpass
import os
import re
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markdown import Markdown
from rich.panel import Panel
from rich.syntax import Syntax
from rich.text import Text

Chunks = Generator[dict[str, Any], None, None]
_SHOWN_LINES = 20


class Conversation(Protocol):
    """What the display needs of the library's object in order to ask."""

    @property
    def awaits_approval(self) -> bool: ...

    def approve(self, decision: Any, code: str | None = None) -> None: ...

    def input(self, value: str | None) -> None: ...


class Screen(Protocol):
    def show(self, chunk: dict[str, Any]) -> None: ...

    def close(self) -> None:
        """What is on the screen is finished: leave it there for good."""
        ...


def show(chunks: Chunks, ask: Conversation | None = None) -> Chunks:
    """Show chunks as they pass by.

    Args:
        ask: the conversation in whose name the person is asked before code runs, and for input.
            Without it whoever takes the chunks decides.
    """
    console = Console()
    screen: Screen = RichScreen(console) if console.is_terminal else PlainScreen(console)
    with contextlib.closing(chunks), contextlib.closing(screen):
        for chunk in chunks:
            screen.show(chunk)
            if ask is not None and "executing" in chunk and ask.awaits_approval:
                screen.close()
                _ask_to_run(console, ask, **chunk["executing"])
            elif ask is not None and "input" in chunk:
                screen.close()
                ask.input(_ask_for_line(**chunk["input"]))
            yield chunk


class PlainScreen:
    """Text as it comes, for pipes and files: no colours, no cursor."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._line_open = False

    def show(self, chunk: dict[str, Any]) -> None:
        match chunk:
            case {"message": text} | {"code": text} | {"output": text}:
                self._write(text)
            case {"language": language}:
                self.close()
                self._write(f"\n[{language}]\n")
            case {"executing": _}:
                self.close()
                self._write("[output]\n")
            case {"end_of_execution": True}:
                self.close()
                self._write("\n")
            case {"display": data}:
                self._write(_plain(data) + "\n")

    def close(self) -> None:
        if self._line_open:
            self._write("\n")

    def _write(self, text: str) -> None:
        self._console.file.write(text)
        self._console.file.flush()
        self._line_open = bool(text) and not text.endswith("\n")


class RichScreen:
    """Markdown and highlighted code, redrawn in place while they grow."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._message = ""
        self._language = ""
        self._code = ""
        self._line: int | None = None
        self._output: list[str] = []

    def show(self, chunk: dict[str, Any]) -> None:
        match chunk:
            case {"message": text}:
                if self._language:
                    self.close()
                self._message += text
            case {"language": language}:
                self.close()
                self._language = language
            case {"code": text}:
                self._code += text
            case {"executing": {"code": code, "language": language}}:
                self._code, self._language = code, language
            case {"active_line": line}:
                self._line = line
            case {"output": text}:
                self._output.append(text)
            case {"display": data}:
                self._output.append(_plain(data) + "\n")
        self._draw()
        if "end_of_execution" in chunk:
            self.close()

    def close(self) -> None:
        if self._live is None:
            return
        self._live.stop()
        self._console.print(self._whole())
        self._live = None
        self._message = self._language = self._code = ""
        self._line, self._output = None, []

    def _draw(self) -> None:
        if self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=lambda: self._whole(_SHOWN_LINES),
                transient=True,
                refresh_per_second=15,
            )
            self._live.start()

    def _whole(self, lines: int | None = None) -> RenderableType:
        """What is shown; of output only the last `lines`, where given."""
        if not self._language:
            return Markdown(self._message)
        code = Syntax(
            self._code,
            self._language,
            line_numbers=True,
            word_wrap=True,
            theme="ansi_dark",
            highlight_lines={self._line} if self._line else set(),
        )
        parts: list[RenderableType] = [Panel(code, title=self._language, title_align="left")]
        output = "".join(self._output).rstrip("\n")
        if output:
            shown = output if lines is None else "\n".join(output.splitlines()[-lines:])
            parts.append(Panel(Text.from_ansi(shown), border_style="dim"))
        return Group(*parts)


def _ask_to_run(console: Console, conversation: Conversation, code: str, language: str) -> None:
    """Ask until there is a decision; end of input is a no."""
    while True:
        try:
            answer = console.input("  Run this code? [bold]y[/]/[bold]n[/]/edit ").strip().lower()
        except EOFError:
            console.print("\nNot run: nobody to ask. Use -y (auto_run) to allow it.")
            return conversation.approve("stop")
        if answer in ("y", "yes"):
            return conversation.approve("run")
        if answer in ("n", "no"):
            return conversation.approve("skip")
        if answer in ("e", "edit"):
            return conversation.approve("run", _edited(code, language))


def _edited(code: str, language: str) -> str:
    """The code as the person leaves it in their editor."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    suffix = {"python": ".py", "javascript": ".js", "shell": ".sh"}.get(language, ".txt")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"block{suffix}"
        path.write_text(code, encoding="utf-8")
        subprocess.run([*editor.split(), str(path)], check=False)
        return path.read_text(encoding="utf-8").removesuffix("\n")


def _ask_for_line(prompt: str, password: bool) -> str | None:
    """One line for the running code; None at end of input."""
    try:
        return getpass.getpass(prompt) if password else input(prompt)
    except EOFError:
        return None


def _plain(data: dict[str, Any]) -> str:
    """A display in words."""
    text = data.get("text/plain") or re.sub(r"<[^>]+>", "", str(data.get("text/html", "")))
    return str(text) or f"[{', '.join(data)}]"
