"""Hides the worker's frames from all that shows stacks: tracebacks, debuggers, tracers.

They also name blocks as in `<block 3>`, instead of by the path of the block's file.
"""

from __future__ import annotations

import os
import sys

from .interrupts import WORKER, is_worker_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType, TracebackType
    from typing import Any

    from .files import Files
    from .hooks import AfterImport


def hide_worker(files: Files, after_import: AfterImport) -> None:
    """Hide the worker's frames, from modules after their import."""
    _adapt_tracers(sys, ("settrace", "setprofile"))
    sys.unraisablehook = _unraisable
    after_import.add("threading", _adapt_threading)
    after_import.add("traceback", lambda module: _adapt_traceback(module, files))
    after_import.add("warnings", lambda module: _adapt_warnings(module, files))
    after_import.add("inspect", lambda module: _adapt_inspect(module, files))
    after_import.add("faulthandler", lambda module: _adapt_faulthandler(module, files))
    after_import.add("bdb", _adapt_bdb)
    after_import.add("pdb", _adapt_pdb)
    after_import.add("coverage.inorout", _adapt_coverage)
    after_import.add("_pydevd_bundle.pydevd_constants", _adapt_pydevd)


def _adapt_bdb(bdb: Any) -> None:
    """Adapt debuggers, see `debugger`."""
    from .debugger import adapt_bdb

    adapt_bdb(bdb)


def _adapt_pdb(pdb: Any) -> None:
    """Adapt pdb, see `debugger`."""
    from .debugger import adapt_pdb

    adapt_pdb(pdb)


def _adapt_pydevd(constants: Any) -> None:
    """Let pydevd, the debugger in debugpy, pass over the worker's files."""
    name = "IGNORE_BASENAMES_STARTING_WITH"
    setattr(constants, name, (*getattr(constants, name, ()), WORKER))


def _adapt_coverage(inorout: Any) -> None:
    """Let coverage measure no file of the worker."""
    check = inorout.InOrOut.check_include_omit_etc

    def check_include_omit_etc(self: Any, filename: str, frame: FrameType | None) -> object:
        """Return why this file is not measured; None if it is."""
        if filename.startswith(WORKER):
            return "is of the program that runs the blocks"
        return check(self, filename, frame)

    inorout.InOrOut.check_include_omit_etc = check_include_omit_etc


def _adapt_traceback(traceback: Any, files: Files) -> None:
    """Hide frames from summaries of stacks and tracebacks, and from what walks them."""
    summary = traceback.StackSummary
    name = (
        "_extract_from_extended_frame_gen"  # since Python 3.11; not all calls go through `extract`
    )
    name = name if hasattr(summary, name) else "extract"
    extract = getattr(summary, name).__func__

    def extracted(cls: Any, /, *arguments: object, **options: object) -> Any:
        stack = extract(cls, *arguments, **options)
        stack[:] = [frame for frame in stack if not frame.filename.startswith(WORKER)]
        for frame in stack:
            frame.filename = files.shown(frame.filename)
        return stack

    setattr(summary, name, classmethod(extracted))
    walk_stack, walk_tb = traceback.walk_stack, traceback.walk_tb

    def visible_stack(frame: FrameType | None) -> Iterator[tuple[FrameType, int]]:
        return _visible(walk_stack(frame or sys._getframe(1)))

    def visible_tb(tb: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
        return _visible(walk_tb(tb))

    traceback.walk_stack, traceback.walk_tb = visible_stack, visible_tb


def _visible(walk: Iterator[tuple[FrameType, int]]) -> Iterator[tuple[FrameType, int]]:
    """Return the steps of a walk over frames, without those of the worker."""
    return (step for step in walk if not is_worker_code(step[0]))


def _adapt_tracers(owner: Any, names: tuple[str, ...]) -> None:
    """Call tracers that are Python functions with the user's frames only.

    Tracers in C, as that of coverage, choose the files that they trace themselves.
    """
    for name in names:
        install, current = getattr(owner, name), getattr(owner, name.replace("set", "get"), None)
        setattr(owner, name, _install_visible(install))
        if current is not None:
            setattr(owner, name.replace("set", "get"), _given(current))


def _install_visible(install: Callable[[object], object]) -> Callable[[object], object]:
    """Return `sys.settrace`, or a function like it, as `_adapt_tracers` describes."""

    def install_visible(function: Any) -> object:
        if not hasattr(function, "__code__"):
            return install(function)

        def tracer(frame: FrameType, event: str, argument: object) -> object:
            return None if is_worker_code(frame) else function(frame, event, argument)

        tracer.given = function  # type: ignore[attr-defined]
        return install(tracer)

    return install_visible


def _given(current: Callable[[], object]) -> Callable[[], object]:
    """Return `sys.gettrace`, or a function like it, that returns what the user's code has given."""

    def given() -> object:
        function = current()
        return getattr(function, "given", function)

    return given


def _adapt_threading(threading: Any) -> None:
    """Hide frames from tracers of threads, and from the tracebacks of threads that fail."""
    _adapt_tracers(threading, ("settrace", "setprofile"))

    def excepthook(args: Any) -> None:
        """Write the traceback of a thread; this is `threading.excepthook`."""
        if args.exc_type is not SystemExit:
            name = args.thread.name if args.thread is not None else threading.get_ident()
            _write_traceback(f"Exception in thread {name}:", args)

    threading.excepthook = excepthook


def _unraisable(args: Any) -> None:
    """Write the traceback of an error that no code can catch; this is `sys.unraisablehook`."""
    title = args.err_msg or "Exception ignored in"
    try:
        title += "" if args.object is None else f": {args.object!r}"
    except Exception:
        title += ": <object repr() failed>"
    _write_traceback(title, args)


def _write_traceback(title: str, args: Any) -> None:
    """Write an exception's traceback to sys.stderr, in one piece."""
    from traceback import format_exception

    lines = format_exception(args.exc_type, args.exc_value, args.exc_traceback)
    if sys.stderr is not None:
        sys.stderr.write(f"{title}\n{''.join(lines)}")


def _adapt_warnings(warnings: Any, files: Files) -> None:
    """Name blocks in warnings. One beyond the stack's end is not at a line of the worker."""
    format_ = warnings.formatwarning

    def formatwarning(
        message: object, category: type, filename: str, lineno: int, line: str | None = None
    ) -> str:
        if filename.startswith(WORKER):
            filename, lineno, line = "sys", 1, ""
        text: str = format_(message, category, files.shown(filename), lineno, line)
        return text

    formatwarning.__doc__ = format_.__doc__
    warnings.formatwarning = formatwarning


def _adapt_inspect(inspect: Any, files: Files) -> None:
    """Hide frames from `inspect.stack` and `inspect.trace`; find the source of blocks' classes."""
    getfile = inspect.getfile

    def file_of(object: Any) -> str:
        """Return an object's file; this is `inspect.getfile`."""
        path = files.of_class(object) if isinstance(object, type) else None
        return path or getfile(object)

    file_of.__doc__ = getfile.__doc__
    inspect.getfile = file_of
    for name in ("getouterframes", "getinnerframes"):
        _adapt_frames(inspect, name)


def _adapt_frames(inspect: Any, name: str) -> None:
    """Hide frames from the list that a function of `inspect` returns."""
    function = getattr(inspect, name)

    def frames(*arguments: object, **options: object) -> list[Any]:
        return [each for each in function(*arguments, **options) if not is_worker_code(each.frame)]

    frames.__doc__ = function.__doc__
    setattr(inspect, name, frames)


def _adapt_faulthandler(faulthandler: Any, files: Files) -> None:
    """Hide frames from `faulthandler.dump_traceback`, which writes into a file of ours first."""
    dump = faulthandler.dump_traceback

    def dump_traceback(file: Any = None, all_threads: bool = True) -> None:
        path = os.path.join(files.folder, "stacks")  # noqa: PTH118
        with open(path, "w+b") as stacks:  # noqa: PTH123
            dump(stacks, all_threads)
            stacks.seek(0)
            text = files.shown(_without_worker(stacks.read().decode("utf-8", "replace")))
        if isinstance(file, int):
            os.write(file, text.encode())
        else:
            (sys.stderr if file is None else file).write(text)

    dump_traceback.__doc__ = dump.__doc__
    faulthandler.dump_traceback = dump_traceback


def _without_worker(dump: str) -> str:
    """Return the stacks of threads without the worker's frames, and without its own threads."""
    stacks = []
    for stack in dump.split("\n\n"):
        lines = [line for line in stack.splitlines() if f'"{WORKER}' not in line]
        if len(lines) > 1:
            stacks.append("\n".join(lines) + "\n")
    return "\n".join(stacks)
