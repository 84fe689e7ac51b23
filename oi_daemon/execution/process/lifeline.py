"""Lets the system kill a process group at the moment at which the daemon ends.

The guard does that too. But the guard can be killed, and then nobody is left who could see that
the daemon has ended: code in an endless loop does not look. So the worker inherits the reading end
of a pipe that nobody writes to. The daemon asks the system to send SIGKILL to the worker's group
when something happens to that pipe. The only thing that ever happens is that the daemon ends, and
with it the writing end. Works on Linux only.
"""

import fcntl
import os
import signal

LIFELINE = "OI_DAEMON_LIFELINE"
"""Environment variable that tells a worker which descriptor the reading end is."""


class Lifeline:
    """The pipe between the daemon and one worker."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()
        """Descriptors of both ends. The worker inherits the reader, and must leave it open."""

    def protect(self, group: int) -> None:
        """Have this process group killed when the daemon ends, instead of an earlier one."""
        if not hasattr(fcntl, "F_SETSIG"):
            return
        try:
            fcntl.fcntl(self.reader, fcntl.F_SETOWN, -group)
            fcntl.fcntl(self.reader, fcntl.F_SETSIG, signal.SIGKILL)
            flags = fcntl.fcntl(self.reader, fcntl.F_GETFL)
            fcntl.fcntl(self.reader, fcntl.F_SETFL, flags | os.O_ASYNC)
        except OSError:  # the group has ended already
            pass

    def close(self) -> None:
        """Close both ends, after the worker has ended. What is left of its group is killed."""
        os.close(self._writer)
        os.close(self.reader)
