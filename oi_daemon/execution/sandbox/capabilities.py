"""Takes root's special powers away from the calling thread, and from all that it starts."""

import ctypes

from oi_daemon.execution.sandbox.system_calls import last_error, library

_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID = 0, 1, 3, 4, 5, 6, 7
_KEPT = (_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID)
"""The capabilities over files, users and signals, which root's ordinary programs need."""
_VERSION_3 = 0x20080522


class _CapabilitySets(ctypes.Structure):
    """32 of the capabilities of a thread, as `capget` and `capset` have them: a bit for each."""

    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def drop_capabilities() -> None:
    """Give up all capabilities except those over files, users and signals.

    Raises:
        OSError: the kernel refuses it.
    """
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (_CapabilitySets * 2)()
    if library().capget(header, sets) < 0:
        raise last_error()
    kept = sum(1 << capability for capability in _KEPT)
    low = sets[0]
    sets[0] = _CapabilitySets(low.effective & kept, low.permitted & kept, 0)
    sets[1] = _CapabilitySets()
    if library().capset(header, sets) < 0:
        raise last_error()
