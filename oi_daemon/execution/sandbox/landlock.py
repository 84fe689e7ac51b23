"""Linux' Landlock: rules for files, for the calling thread and all that it starts.

It needs no privilege, and cannot be removed again, not even by root.
"""

import ctypes
import os
import stat
import sys
from collections.abc import Iterable
from enum import IntFlag
from pathlib import Path

from oi_daemon.execution.sandbox.system_calls import no_new_privileges, system_call


class Access(IntFlag):
    """What may be done in a folder or with a file: the kernel's LANDLOCK_ACCESS_FS_*."""

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
"""Everything that changes files, except making devices: a device would bypass all rules."""
_FOR_FILES = Access.EXECUTE | Access.READ_FILE | Access.WRITE_FILE | Access.TRUNCATE
"""Access that a rule for a file may name. The kernel refuses the rest, which is for folders."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""The numbers of Landlock's system calls, which are the same for all kinds of processors."""
_VERSION = 1
_PATH_BENEATH = 1
_SCOPES = 0b11
"""The kernel's LANDLOCK_SCOPE_*: abstract sockets and signals reach no process outside."""

LEAST = 3
"""The first version of Landlock that can forbid to truncate a file."""
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
    """Return the version of this system's Landlock; 0 if it has none."""
    if sys.platform != "linux":
        return 0
    try:
        return system_call(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(handled: Access, rules: Iterable[tuple[str | Path, Access]]) -> None:
    """Forbid everything in `handled`, except what the rules allow beneath their paths.

    Raises:
        OSError: a path cannot be opened, or the kernel refuses it.
    """
    scoped = _SCOPES if version() >= _WITH_SCOPES else 0
    size = ctypes.sizeof(_Ruleset) if scoped else ctypes.sizeof(ctypes.c_uint64)
    ruleset = system_call(
        _CREATE_RULESET, ctypes.byref(_Ruleset(handled_access_fs=handled, scoped=scoped)), size, 0
    )
    try:
        for path, access in rules:
            _allow(ruleset, path, access & handled)
        no_new_privileges()
        system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str | Path, access: Access) -> None:
    """Add a rule that allows this access beneath the path."""
    opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            access &= _FOR_FILES
        rule = _PathBeneath(allowed_access=access, parent_fd=opened)
        system_call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(opened)
