"""Adapts Python's debuggers, those of `bdb` as pdb, to blocks. Loaded with `bdb`.

A block's statements are compiled one by one. A debugger takes them as one piece of code: it steps
from one to the next, does not enter the worker, and ends with the block.
"""

from __future__ import annotations

import sys

from .interrupts import is_worker_code

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any


def end_debugging(tracer: object) -> None:
    """Let no debugger go on after the block: it would stop in the next one."""
    if isinstance(getattr(tracer, "__self__", None), sys.modules["bdb"].Bdb):
        sys.settrace(None)


def adapt_bdb(bdb: Any) -> None:
    """Keep debuggers out of the worker, and let them step from statement to statement."""
    debuggers = bdb.Bdb
    dispatch, get_stack = debuggers.trace_dispatch, debuggers.get_stack

    def trace_dispatch(self: Any, frame: FrameType, event: str, argument: object) -> object:
        if _serves_worker(frame):
            return None
        if _is_statement(frame):
            if event == "call":
                return self.trace_dispatch
            if event == "return":
                if frame in (self.stopframe, self.returnframe):
                    self.set_step()
                return None
        return dispatch(self, frame, event, argument)

    def visible_stack(
        self: Any, frame: FrameType | None, tb: TracebackType | None
    ) -> tuple[list[tuple[FrameType, int]], int]:
        stack, index = get_stack(self, frame, tb)
        visible = [entry for entry in stack if not is_worker_code(entry[0])]
        index = sum(not is_worker_code(entry[0]) for entry in stack[: index + 1]) - 1
        return visible, max(index, 0)

    debuggers.trace_dispatch, debuggers.get_stack = trace_dispatch, visible_stack


def _is_statement(frame: FrameType) -> bool:
    """Return True for the frame of a block's statement."""
    return frame.f_code.co_name == "<module>" and _is_of_block(frame)


def _serves_worker(frame: FrameType) -> bool:
    """Return True for the worker's frames, and for those that it calls without a block between."""
    caller: FrameType | None = frame
    while caller is not None and not _is_of_block(caller):
        if is_worker_code(caller):
            return True
        caller = caller.f_back
    return False


def _is_of_block(frame: FrameType) -> bool:
    """Return True if a block has this frame's code."""
    return frame.f_globals.get("__name__") == "__main__"


def adapt_pdb(pdb: Any) -> None:
    """Let an interrupt end the block; pdb would begin to debug, or ask for another command."""
    create = pdb.Pdb.__init__

    def __init__(self: Any, *arguments: object, **options: object) -> None:
        create(self, *arguments, **options)
        self.nosigint = True

    def _cmdloop(self: Any) -> None:
        self.cmdloop()

    pdb.Pdb.__init__, pdb.Pdb._cmdloop = __init__, _cmdloop
