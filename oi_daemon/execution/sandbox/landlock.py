"""Linux' Landlock, seccomp and capabilities, for the calling thread and all that it starts.

None of it needs a privilege, and none of it can be taken back, by root either.
"""

import ctypes
import errno
import os
import platform
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import IntFlag
from pathlib import Path


class Access(IntFlag):
    """What may be done beneath a folder, or with a file: LANDLOCK_ACCESS_FS_*."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14


READ = Access.EXECUTE | Access.READ_FILE | Access.READ_DIR
CHANGE = ~READ
WRITE = CHANGE & ~(Access.MAKE_CHAR | Access.MAKE_BLOCK)
"""A device that code could make would be a way around all rules."""
_OF_FILES = Access.EXECUTE | Access.READ_FILE | Access.WRITE_FILE | Access.TRUNCATE

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_SCOPES = 0b11
"""Abstract sockets and signals reach no process outside."""

LEAST = 3
"""The first version that knows of truncating a file."""
_WITH_SCOPES = 6


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def version() -> int:
    """Landlock's version here; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    try:
        return _system_call(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(handled: Access, rules: Iterable[tuple[str | Path, Access]]) -> None:
    """Refuse all of `handled` but what the rules allow beneath their paths.

    Raises:
        OSError: a path cannot be opened, or the system refuses.
    """
    scoped = _SCOPES if version() >= _WITH_SCOPES else 0
    size = ctypes.sizeof(_Ruleset) if scoped else ctypes.sizeof(ctypes.c_uint64)
    ruleset = _system_call(
        _CREATE_RULESET, ctypes.byref(_Ruleset(handled_access_fs=handled, scoped=scoped)), size, 0
    )
    try:
        for path, access in rules:
            _allow(ruleset, path, access & handled)
        _no_new_privileges()
        _system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str | Path, access: Access) -> None:
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            access &= _OF_FILES
        rule = _PathBeneath(allowed_access=access, parent_fd=opened)
        _system_call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)


_GENERIC = {"socket": 198, "connect": 203, "io_uring_setup": 425}
_MACHINES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "x86_64": (0xC000003E, {"socket": 41, "connect": 42, "io_uring_setup": 425}),
    "aarch64": (0xC00000B7, _GENERIC),
    "riscv64": (0xC00000F3, _GENERIC),
}
"""Each machine's sign in a filter, and the numbers of what makes a socket there."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_NUMBER, _MACHINE = 0, 4
_PASS, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_X32 = 0x40000000
"""x86_64's second numbering of all calls begins here."""

_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_PR_SET_NO_NEW_PRIVS = 38


class _Filter(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("jt", ctypes.c_uint8),
        ("jf", ctypes.c_uint8),
        ("k", ctypes.c_uint32),
    )


class _FilterProgram(ctypes.Structure):
    _fields_ = (("len", ctypes.c_uint16), ("filter", ctypes.POINTER(_Filter)))


def can_refuse_sockets() -> bool:
    return platform.machine() in _MACHINES


def refuse_sockets() -> None:
    """No socket of any kind can be made from here on, but for a pair of connected ones.

    Raises:
        OSError: the system refuses.
    """
    machine, numbers = _MACHINES[platform.machine()]
    steps = _steps(machine, sorted(numbers.values()))
    program = _FilterProgram(len(steps), (_Filter * len(steps))(*steps))
    _no_new_privileges()
    _control(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))


def _steps(machine: int, refused: Sequence[int]) -> list[_Filter]:
    """Kill programs of other machines, fail the refused calls, let all others pass."""
    tests = [(_AT_LEAST, _X32), *((_EQUAL, number) for number in refused)]
    return [
        _Filter(_LOAD, 0, 0, _MACHINE),
        _Filter(_EQUAL, 1, 0, machine),
        _Filter(_RETURN, 0, 0, _KILL),
        _Filter(_LOAD, 0, 0, _NUMBER),
        *(_Filter(test, len(tests) - i, 0, number) for i, (test, number) in enumerate(tests)),
        _Filter(_RETURN, 0, 0, _PASS),
        _Filter(_RETURN, 0, 0, _FAIL | errno.ENETUNREACH),
    ]


_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL_ANY, _SETGID, _SETUID = 0, 1, 3, 4, 5, 6, 7
_KEPT = (_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL_ANY, _SETGID, _SETUID)
_VERSION_3 = 0x20080522


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def drop_capabilities() -> None:
    """Of root's powers only those over its own files and processes are kept.

    Raises:
        OSError: the system refuses.
    """
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (_Sets * 2)()
    library = ctypes.CDLL(None, use_errno=True)
    if library.capget(header, sets) < 0:
        raise _failure()
    kept = sum(1 << capability for capability in _KEPT)
    low = sets[0]
    sets[0] = _Sets(low.effective & kept, low.permitted & kept, 0)
    sets[1] = _Sets()
    if library.capset(header, sets) < 0:
        raise _failure()


def _no_new_privileges() -> None:
    _control(_PR_SET_NO_NEW_PRIVS, 1, 0)


def _control(option: int, second: int, third: int) -> None:
    numbers = (ctypes.c_ulong(number) for number in (second, third, 0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(option, *numbers) < 0:
        raise _failure()


def _system_call(number: int, *arguments: object) -> int:
    result: int = ctypes.CDLL(None, use_errno=True).syscall(number, *arguments)
    if result < 0:
        raise _failure()
    return result


def _failure() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
