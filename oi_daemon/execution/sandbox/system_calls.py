"""Calls of the Linux kernel, by ctypes, that Python has no functions for."""

import ctypes
import os

_PR_SET_NO_NEW_PRIVS = 38


def system_call(number: int, *arguments: object) -> int:
    """Make the system call with this number and return its result.

    Raises:
        OSError: the kernel refuses it.
    """
    result: int = library().syscall(number, *arguments)
    if result < 0:
        raise last_error()
    return result


def process_control(option: int, second: int, third: int = 0) -> None:
    """Call `prctl` with this option.

    Raises:
        OSError: the kernel refuses it.
    """
    numbers = (ctypes.c_ulong(number) for number in (second, third, 0, 0))
    if library().prctl(option, *numbers) < 0:
        raise last_error()


def no_new_privileges() -> None:
    """Let this thread, and what it starts, gain no rights any more, by `sudo` for instance.

    The kernel demands it before a process without privileges may restrict itself.
    """
    process_control(_PR_SET_NO_NEW_PRIVS, 1)


def library() -> ctypes.CDLL:
    """Return the C library, set up so that `last_error` works."""
    return ctypes.CDLL(None, use_errno=True)


def last_error() -> OSError:
    """Return the error of the last call that failed in this thread."""
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
