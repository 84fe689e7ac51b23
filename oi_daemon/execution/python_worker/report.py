"""Reports an error in the user's code: Python's own traceback, without the worker's frames.

The person and the model get it as text, the daemon also as data.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

_LONGEST = 50_000
"""Characters that the daemon gets of the beginning, and of the end, of a long text."""


def report(error: BaseException, file: str, name: str) -> dict[str, object] | None:
    """Write the error to sys.stderr, or pass it to the user's own sys.excepthook.

    Args:
        file: the path of the block's file.
        name: how the block is called in tracebacks.

    Returns:
        its name, message and traceback, for the daemon; None for a `sys.exit` that is no error.
    """
    if isinstance(error, SyntaxError) and error.filename == file:
        error.filename = name
    if isinstance(error, SystemExit):
        text = _exit_text(error)
        _write(text)
        return _described(error, []) if text else None
    traceback = _from_block(error.__traceback__, file)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    sys.last_exc = error.with_traceback(traceback)  # type: ignore[attr-defined]
    text = _traceback_text(error, traceback)
    if sys.excepthook is sys.__excepthook__:
        _write(text)
    else:
        try:
            sys.excepthook(type(error), error, traceback)
        except BaseException as failure:
            _write(_traceback_text(failure, failure.__traceback__))
    return _described(error, _shortened(text).split("\n")[:-1])


def exit_status(error: SystemExit) -> int:
    """Return the exit status that a program would have which ends by this error."""
    if isinstance(error.code, int):
        return error.code & 0xFF
    return 0 if error.code is None else 1


def _described(error: BaseException, traceback: list[str]) -> dict[str, object]:
    """Return an error as data: its class, its message, and the lines of its traceback."""
    try:
        message = str(error)
    except Exception:
        message = ""
    return {"name": type(error).__name__, "message": _shortened(message), "traceback": traceback}


def _shortened(text: str) -> str:
    """Return a text without its middle if it is very long."""
    return text if len(text) <= 2 * _LONGEST else f"{text[:_LONGEST]}\n{text[-_LONGEST:]}"


def _write(text: str) -> None:
    """Write to sys.stderr; to the worker's own if the user's code has put a broken one there."""
    try:
        sys.stderr.write(text)
    except Exception:
        sys.__stderr__.write(text)  # type: ignore[union-attr]


def _exit_text(error: SystemExit) -> str:
    """Return what to write of a `sys.exit`: its message, or its code if it is not 0."""
    if error.code is None or error.code == 0:
        return ""
    return f"{error.code}\n" if isinstance(error.code, str) else f"SystemExit: {error.code}\n"


def _traceback_text(error: BaseException, traceback: TracebackType | None) -> str:
    """Return the error's traceback as Python writes it; only its class if formatting it fails."""
    try:
        from traceback import TracebackException

        return "".join(TracebackException(type(error), error, traceback).format())
    except Exception:
        return f"{type(error).__name__}\n"


def _from_block(traceback: TracebackType | None, file: str) -> TracebackType | None:
    """Return the traceback from the block on, without the frames that called it."""
    inner = traceback
    while inner is not None and inner.tb_frame.f_code.co_filename != file:
        inner = inner.tb_next
    return inner or traceback
