"""A filter of system calls, for the calling thread and all that it starts.

It needs no privilege, and cannot be removed again, not even by root.
"""

import ctypes
import errno
import platform
from collections.abc import Mapping, Sequence

from oi_daemon.execution.sandbox.system_calls import no_new_privileges, process_control

_GENERIC = {"socket": 198, "connect": 203, "io_uring_setup": 425}
_MACHINES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "x86_64": (0xC000003E, {"socket": 41, "connect": 42, "io_uring_setup": 425}),
    "aarch64": (0xC00000B7, _GENERIC),
    "riscv64": (0xC00000F3, _GENERIC),
}
"""For each kind of processor its number in a filter, and the numbers of the refused calls."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of a filter: load a value, jump if it is equal or at least this, return."""
_NUMBER, _MACHINE = 0, 4
"""Where the call's number and the kind of processor are in what a filter looks at."""
_PASS, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_X32 = 0x40000000
"""The first number of x86_64's second table, which has all calls again."""

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2


class _Instruction(ctypes.Structure):
    """One instruction of a filter. A test skips `jt` instructions if it is true, else `jf`."""

    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _FilterProgram(ctypes.Structure):
    _fields_ = (("len", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


def can_refuse_sockets() -> bool:
    """Return True if the numbers of the calls are known for this kind of processor."""
    return platform.machine() in _MACHINES


def refuse_sockets() -> None:
    """Let no socket of any kind be made from now on, except a pair of connected ones.

    Raises:
        OSError: the kernel refuses it.
    """
    machine, numbers = _MACHINES[platform.machine()]
    steps = _instructions(machine, sorted(numbers.values()))
    program = _FilterProgram(len(steps), (_Instruction * len(steps))(*steps))
    no_new_privileges()
    process_control(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))


def _instructions(machine: int, refused: Sequence[int]) -> list[_Instruction]:
    """Return a filter that lets the refused calls fail, and kills programs of other processors."""
    tests = [(_AT_LEAST, _X32), *((_EQUAL, number) for number in refused)]
    return [
        _Instruction(_LOAD, 0, 0, _MACHINE),
        _Instruction(_EQUAL, 1, 0, machine),
        _Instruction(_RETURN, 0, 0, _KILL),
        _Instruction(_LOAD, 0, 0, _NUMBER),
        *(_Instruction(test, len(tests) - i, 0, number) for i, (test, number) in enumerate(tests)),
        _Instruction(_RETURN, 0, 0, _PASS),
        _Instruction(_RETURN, 0, 0, _FAIL | errno.ENETUNREACH),
    ]
