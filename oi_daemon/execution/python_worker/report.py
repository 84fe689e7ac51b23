"""What is said of an error in the user's code: Python's own words, without the worker's frames."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from traceback import TracebackException
    from types import TracebackType

_OURS = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120


def report(error: BaseException, file: str) -> None:
    """Write it to sys.stderr, or hand it to the user's own sys.excepthook."""
    if isinstance(error, SystemExit):
        _write(_exit_text(error))
        return
    traceback = _from_block(error.__traceback__, file)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    if sys.excepthook is sys.__excepthook__:
        _write(_traceback_text(error, traceback))
    else:
        try:
            sys.excepthook(type(error), error, traceback)
        except BaseException as failure:
            _write(_traceback_text(failure, failure.__traceback__))


def _write(text: str) -> None:
    try:
        sys.stderr.write(text)
    except Exception:  # whatever the user's code has put there
        sys.__stderr__.write(text)  # type: ignore[union-attr]


def _exit_text(error: SystemExit) -> str:
    """The end that the code wanted is no error; a code other than 0 is worth a word."""
    if error.code is None or error.code == 0:
        return ""
    return f"{error.code}\n" if isinstance(error.code, str) else f"SystemExit: {error.code}\n"


def _traceback_text(error: BaseException, traceback: TracebackType | None) -> str:
    from traceback import TracebackException

    try:
        told = TracebackException(type(error), error, traceback)
        _hide_ours(told)
        return "".join(told.format())
    except Exception:  # an exception that cannot even be formatted, in many ways
        return f"{type(error).__name__}\n"


def _from_block(traceback: TracebackType | None, file: str) -> TracebackType | None:
    """Without what called the block: the worker, an event loop."""
    inner = traceback
    while inner is not None and inner.tb_frame.f_code.co_filename != file:
        inner = inner.tb_next
    return inner or traceback


def _hide_ours(told: TracebackException) -> None:
    told.stack[:] = [frame for frame in told.stack if not frame.filename.startswith(_OURS)]
    for other in (told.__cause__, told.__context__):
        if other is not None:
            _hide_ours(other)
