"""A filter of system calls, for the calling thread and all that it starts.

It refuses calls that change other processes (Landlock restricts only files and, in newer kernels,
signals), and calls that make sockets. It needs no privilege, and cannot be removed again, not even
by root.
"""

import ctypes
import errno
import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from oi_daemon.execution.sandbox.system_calls import no_new_privileges, process_control

_X86_64 = {
    "shmget": 29,
    "shmat": 30,
    "shmctl": 31,
    "socket": 41,
    "connect": 42,
    "semget": 64,
    "semop": 65,
    "semctl": 66,
    "shmdt": 67,
    "msgget": 68,
    "msgsnd": 69,
    "msgrcv": 70,
    "msgctl": 71,
    "setpriority": 141,
    "sched_setparam": 142,
    "sched_setscheduler": 144,
    "sched_setaffinity": 203,
    "semtimedop": 220,
    "mq_open": 240,
    "mq_unlink": 241,
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "ioprio_set": 251,
    "migrate_pages": 256,
    "move_pages": 279,
    "prlimit64": 302,
    "sched_setattr": 314,
    "io_uring_setup": 425,
}
_GENERIC = {
    "ioprio_set": 30,
    "sched_setparam": 118,
    "sched_setscheduler": 119,
    "sched_setaffinity": 122,
    "setpriority": 140,
    "mq_open": 180,
    "mq_unlink": 181,
    "msgget": 186,
    "msgctl": 187,
    "msgrcv": 188,
    "msgsnd": 189,
    "semget": 190,
    "semctl": 191,
    "semtimedop": 192,
    "semop": 193,
    "shmget": 194,
    "shmctl": 195,
    "shmat": 196,
    "shmdt": 197,
    "socket": 198,
    "connect": 203,
    "add_key": 217,
    "request_key": 218,
    "keyctl": 219,
    "migrate_pages": 238,
    "move_pages": 239,
    "prlimit64": 261,
    "sched_setattr": 274,
    "io_uring_setup": 425,
}
_MACHINES: Mapping[str, tuple[int, Mapping[str, int]]] = {
    "x86_64": (0xC000003E, _X86_64),
    "aarch64": (0xC00000B7, _GENERIC),
    "riscv64": (0xC00000F3, _GENERIC),
}
"""For each kind of processor its number in a filter, and the numbers of its system calls."""

_SHARED_OBJECTS = (
    *("shmget", "shmat", "shmctl", "shmdt", "semget", "semop", "semctl", "semtimedop"),
    *("msgget", "msgsnd", "msgrcv", "msgctl", "mq_open", "mq_unlink"),
    *("add_key", "request_key", "keyctl"),
)
"""Calls for objects that all processes of a user share: System V's and POSIX' memory, semaphores
and queues, and the kernel's keyrings."""
_FIRST_IS_PROCESS = {
    **dict.fromkeys(("prlimit64", "migrate_pages", "move_pages"), errno.EPERM),
    **dict.fromkeys(("sched_setparam", "sched_setscheduler"), 0),
    **dict.fromkeys(("sched_setaffinity", "sched_setattr"), 0),
}
"""Calls whose first argument is a process, where 0 is the caller; the value is the error that they
fail with. 0 means that the call does nothing and reports success: libraries schedule their own
threads by id, and some (ZeroMQ) end the process when that fails."""
_SECOND_IS_PROCESS = {"setpriority": 2, "ioprio_set": 3}
"""Calls whose second argument is a process, a group or a user, and whose first one says which; the
value is the first argument that means a user."""
_NETWORK = ("socket", "connect", "io_uring_setup")
"""Calls that make a socket of any kind, except a pair of connected ones, or use one."""

_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of a filter: load a value, test whether it is equal or at least this, return."""
_NUMBER, _MACHINE, _ARGUMENTS = 0, 4, 16
"""Where the call's number, the kind of processor and the arguments are in what a filter sees."""
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


class _Rule(NamedTuple):
    """What happens at one system call."""

    call: str
    decision: Sequence[_Instruction]
    """Instructions that decide about the call: whichever are run, the last one is a return."""


def is_known_machine() -> bool:
    """Return True if the numbers of the calls are known for this kind of processor."""
    return sys.maxsize > 1 << 32 and platform.machine() in _MACHINES


def protect_other_processes(*, network: bool) -> None:
    """Refuse all calls from now on that change other processes or use objects shared with them.

    Args:
        network: False refuses all sockets too, except pairs of connected ones.

    Raises:
        OSError: the kernel refuses it.
    """
    machine, numbers = _MACHINES[platform.machine()]
    rules = [*_rules(), *([] if network else _network_rules())]
    steps = list(_instructions(machine, numbers, rules))
    program = _FilterProgram(len(steps), (_Instruction * len(steps))(*steps))
    no_new_privileges()
    process_control(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program))


def _rules() -> Iterable[_Rule]:
    """Yield the rules against calls that reach other processes; on the caller itself they work."""
    refuse = _Instruction(_RETURN, 0, 0, _FAIL | errno.EPERM)
    allow = _Instruction(_RETURN, 0, 0, _PASS)
    for call in _SHARED_OBJECTS:
        yield _Rule(call, [refuse])
    for call, error in _FIRST_IS_PROCESS.items():
        fail = _Instruction(_RETURN, 0, 0, _FAIL | error)
        yield _Rule(call, [_argument(0), _Instruction(_EQUAL, 1, 0, 0), fail, allow])
    for call, user in _SECOND_IS_PROCESS.items():
        is_user, is_caller = _Instruction(_EQUAL, 2, 0, user), _Instruction(_EQUAL, 1, 0, 0)
        yield _Rule(call, [_argument(0), is_user, _argument(1), is_caller, refuse, allow])


def _network_rules() -> Iterable[_Rule]:
    """Yield the rules that turn the network off."""
    for call in _NETWORK:
        yield _Rule(call, [_Instruction(_RETURN, 0, 0, _FAIL | errno.ENETUNREACH)])


def _argument(index: int) -> _Instruction:
    """Return an instruction that loads the low 32 bits of an argument, all that the kernel uses."""
    return _Instruction(_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _instructions(
    machine: int, numbers: Mapping[str, int], rules: Iterable[_Rule]
) -> Iterable[_Instruction]:
    """Yield a filter with these rules that lets all other calls pass.

    Programs for other processors are killed, because their calls have other numbers.
    """
    yield _Instruction(_LOAD, 0, 0, _MACHINE)
    yield _Instruction(_EQUAL, 1, 0, machine)
    yield _Instruction(_RETURN, 0, 0, _KILL)
    yield _Instruction(_LOAD, 0, 0, _NUMBER)
    yield _Instruction(_AT_LEAST, 0, 1, _X32)
    yield _Instruction(_RETURN, 0, 0, _FAIL | errno.ENOSYS)
    for call, decision in rules:
        yield _Instruction(_EQUAL, 0, len(decision), numbers[call])
        yield from decision
    yield _Instruction(_RETURN, 0, 0, _PASS)
