"""Runs a block statement by statement, and marks each statement's line before it runs."""

from __future__ import annotations

import os
import sys
from _ast import (
    Constant,
    Expr,
    ImportFrom,
    Interactive,
    Module,
    Pass,
    PyCF_ALLOW_TOP_LEVEL_AWAIT,
)

from .event_loop import EventLoop
from .figures import show_figures
from .processes import Definitions, is_definition
from .report import exit_status, report
from .source import lines_of, parse, pasted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _ast import stmt
    from types import CodeType

    from .channel import Channel
    from .files import Files
    from .interrupts import Interrupts
    from .streams import OutputStream

_TRACKER = "multiprocessing.resource_tracker"
_COROUTINE = 0x80  # inspect.CO_COROUTINE


class Blocks:
    """Runs blocks in the namespace of `__main__`, so that variables stay from block to block."""

    def __init__(
        self, channel: Channel, output: OutputStream, interrupts: Interrupts, files: Files
    ) -> None:
        self._channel = channel
        self._output = output
        self._interrupts = interrupts
        self.process = os.getpid()
        """The id of the process that runs blocks, by which `run` notices that it is in a fork."""
        self.loop = EventLoop()
        self._flags = 0
        self._files = files
        main = type(sys)("__main__")
        self._namespace = main.__dict__
        sys.modules["__main__"] = main
        self.definitions = Definitions(self._namespace, files)

    @property
    def descriptors(self) -> set[int]:
        """The open descriptors of the event loop and of multiprocessing's resource tracker.

        0 stands for a tracker that is not there.
        """
        tracker = getattr(sys.modules.get(_TRACKER), "_resource_tracker", None)
        return self.loop.descriptors() | {getattr(tracker, "_fd", None) or 0}

    def run(self, number: int, code: str) -> None:
        """Run the block until it returns or raises; write an error to sys.stderr.

        If the block's code has forked, the child process ends here and does not return.
        """
        code = pasted(code)
        file = self._files.add(number, code)
        self._output.begin(file)
        self._interrupts.begin()
        self.loop.begin(code)
        error = self._attempt(file, code)
        self._interrupts.end()
        told = report(error, file, self._files.shown(file)) if error is not None else None
        if os.getpid() != self.process:
            _leave_fork(error)
        if isinstance(error, SystemExit):
            self._output.mark("X", exit_status(error))
        if told is not None:
            self._output.mark("D", self._channel.send(error=told))

    def _attempt(self, file: str, code: str) -> BaseException | None:
        """Run the block and show its figures; return what was raised, or None."""
        try:
            try:
                try:
                    self._statements(self._compile(file, code))
                finally:
                    _end_debugging()
                self.loop.settle()
            finally:
                show_figures()
        except BaseException as error:
            return error
        return None

    def _statements(self, statements: list[tuple[stmt, CodeType]]) -> None:
        """Run the compiled statements in order: in the event loop, once a block has needed one."""
        for node, statement in statements:
            self._output.line(_first_line(node))
            self._output.flush()
            self._interrupts.check()
            if statement.co_flags & _COROUTINE:
                self.loop.run(eval(statement, self._namespace))
            elif self.loop.is_wanted:
                self.loop.call(statement, self._namespace)
            else:
                eval(statement, self._namespace)
            if is_definition(node):
                self.definitions.add(node, statement)

    def _compile(self, file: str, code: str) -> list[tuple[stmt, CodeType]]:
        """Return each statement and its compiled code.

        An expression at the end is compiled so that its value is shown, as in a REPL, unless a
        semicolon follows it.
        """
        flags = self._flags
        body = parse(code, file, flags).body
        statements = []
        for node in body:
            if isinstance(node, ImportFrom) and node.module == "__future__":
                flags |= _future_flags(node)
            options = PyCF_ALLOW_TOP_LEVEL_AWAIT | flags
            if isinstance(node, Expr) and node is body[-1] and not _is_silent(node, code):
                compiled = compile(Interactive([node]), file, "single", options, True)
            else:
                module = Module([_without_docstring(node)], [])
                compiled = compile(module, file, "exec", options, True)
            statements.append((node, compiled))
        self._flags = flags
        return statements


def _first_line(node: stmt) -> int:
    """Return the line at which a statement begins: that of its first decorator, if it has one."""
    decorators = getattr(node, "decorator_list", [])
    lines: list[int] = [node.lineno, *(decorator.lineno for decorator in decorators)]
    return min(lines)


def _is_silent(last: Expr, code: str) -> bool:
    """Return True if a semicolon follows the block's last expression."""
    end, column = last.end_lineno or 0, last.end_col_offset
    rest = lines_of(code)[end - 1 : end]
    return bool(rest) and rest[0].encode("utf-8", "replace")[column:].lstrip().startswith(b";")


def _without_docstring(node: stmt) -> stmt:
    """Return the statement, or one that does nothing for a string, which would set `__doc__`."""
    if isinstance(node, Expr) and isinstance(node.value, Constant):
        return Pass(lineno=node.lineno, col_offset=node.col_offset)
    return node


def _future_flags(node: ImportFrom) -> int:
    """Return the compiler flags of a `from __future__ import`, which also apply to later blocks."""
    import __future__

    flags = 0
    for alias in node.names:
        feature = getattr(__future__, alias.name, None)
        flags |= getattr(feature, "compiler_flag", 0)
    return flags


def _end_debugging() -> None:
    """End a debugger with the block that has started it."""
    tracer = sys.gettrace()
    debugger = sys.modules.get(f"{__package__}.debugger")
    if tracer is not None and debugger is not None:
        debugger.end_debugging(tracer)


def _leave_fork(error: BaseException | None) -> None:
    """End this process, a fork that the block's code made, because only the parent runs blocks."""
    code = getattr(error, "code", 1) if error is not None else 0
    os._exit(code if isinstance(code, int) else int(code is not None))
