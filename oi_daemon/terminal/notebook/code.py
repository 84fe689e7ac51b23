"""Code as HTML: highlighted in the colours of the notebook's theme, its active line marked."""

from collections.abc import Iterator
from functools import lru_cache
from html import escape
from typing import Any

from pygments import lex
from pygments.lexers import get_lexer_by_name
from pygments.lexers.special import TextLexer
from pygments.token import Comment, Keyword, Name, Number, String, Token
from pygments.util import ClassNotFound

_COLOURS = {
    "k": ("keyword", "debugTokenExpression-boolean", "#8250df"),
    "s": ("string", "debugTokenExpression-string", "#c4622d"),
    "n": ("number", "debugTokenExpression-number", "#2f8a4c"),
    "c": ("comment", "descriptionForeground", "#808080"),
    "d": ("def", "symbolIcon-functionForeground", "#3b7dd8"),
    "b": ("builtin", "debugTokenExpression-name", "#3b7dd8"),
}
"""Names of a colour in JupyterLab's theme and in that of VS Code, and one for all others; by the
class of the HTML that has it."""
_CLASSES = {
    Keyword: "k",
    String: "s",
    Number: "n",
    Comment: "c",
    Name.Function: "d",
    Name.Class: "d",
    Name.Decorator: "d",
    Name.Builtin: "b",
}
_MONOSPACE = "var(--jp-code-font-family,var(--vscode-editor-font-family,monospace))"
_STYLE = "".join(
    [
        "<style>",
        ".oi-code{margin:0;padding:2px 0;overflow-x:auto;line-height:1.45;"
        f"font-family:{_MONOSPACE};font-size:var(--jp-code-font-size,inherit);"
        "border-left:3px solid rgba(128,128,128,.35);background:rgba(128,128,128,.06)}",
        ".oi-code div{white-space:pre;padding-right:8px;width:max-content;min-width:100%;"
        "box-sizing:border-box}",
        ".oi-code div::before{content:attr(data-line);display:inline-block;width:3em;"
        "margin-right:1em;text-align:right;opacity:.45}",
        ".oi-code .oi-active{background:rgba(255,170,0,.28)}",
        *(
            f".oi-{name}{{color:var(--jp-mirror-editor-{lab}-color,var(--vscode-{code},{other}))}}"
            for name, (lab, code, other) in _COLOURS.items()
        ),
        "</style>",
    ]
)
"""What code is styled by. A colour is that of the notebook's theme, dark or light."""


def code_html(code: str, language: str, active: int | None = None) -> str:
    """A block's code. Its line numbers are not copied with it.

    Args:
        active: the active line, counted from 1; None if none runs.
    """
    lines = [
        f'<div data-line="{number}"{_MARK if number == active else ""}>{line or " "}</div>'
        for number, line in enumerate(_lines(code, language), 1)
    ]
    return f'{_STYLE}<div class="oi-code">{"".join(lines)}</div>'


_MARK = ' class="oi-active"'
NOTE = "opacity:.65;font-size:90%"
"""The style of what stands beside the conversation."""


def note_html(text: str) -> str:
    """A line beside the conversation, such as how a block ended."""
    return f'<div style="{NOTE}">{escape(text)}</div>'


@lru_cache(2)
def _lines(code: str, language: str) -> tuple[str, ...]:
    """The lines of the code as HTML."""
    html = "".join(_spans(code.rstrip("\n").expandtabs(4), language))
    return tuple(html.split("\n"))


def _spans(code: str, language: str) -> Iterator[str]:
    """The code's tokens as HTML. None goes over the end of a line."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False, ensurenl=False)
    for kind, text in lex(code, lexer):
        name = _class_of(kind)
        lines = [escape(line) for line in text.split("\n")]
        yield "\n".join(
            f'<span class="oi-{name}">{line}</span>' if name and line else line for line in lines
        )


def _class_of(kind: Any) -> str:
    """The class of a token's colour; empty if it has none."""
    while kind is not None and kind is not Token:
        if kind in _CLASSES:
            return _CLASSES[kind]
        kind = kind.parent
    return ""
