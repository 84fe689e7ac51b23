"""`%load_ext interpreter`: magics of IPython that ask, and run our magic commands."""

from typing import TYPE_CHECKING, Any

from oi_daemon import magic
from oi_daemon.terminal.magic import run_magic
from oi_daemon.terminal.printing import print_text

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from oi_daemon.client.interpreter import Interpreter


def load(shell: "InteractiveShell", interpreter: "Interpreter") -> None:
    """Give the shell `%oi`, `%%oi`, `%chat` and `%%chat`, and the variable `interpreter`."""
    from IPython.core.magic import no_var_expand

    def ask(line: str, cell: str | None = None) -> None:
        message = "\n".join(part for part in (line.strip(), (cell or "").strip()) if part)
        if magic.is_magic(message) or not message:
            print_text(run_magic(interpreter, message or "%help"))
        else:
            interpreter.chat(message, display=True)

    ask.__doc__ = _HELP
    magic_function: Any = no_var_expand(ask)  # braces in words are no variables
    for name in ("chat", "oi"):
        shell.register_magic_function(magic_function, "line_cell", name)
    shell.user_ns.setdefault("interpreter", interpreter)


_HELP = """Ask a language model, which runs code: in one line, or with two % in a whole cell.

%oi Plot the sales of each month
%oi %undo        a magic command, as at the prompt of `interpreter`; `%oi` alone lists them
"""
