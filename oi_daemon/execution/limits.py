"""How long a block may run, and how much memory its processes may use."""

import sys
from dataclasses import dataclass

from oi_daemon.settings import Settings

STANDBY_SUPPORTED = sys.platform == "linux"
"""Whether this system lets a process keep a standby, and the daemon recognize it."""


@dataclass(kw_only=True)
class Limits:
    """Limits shared by all language processes of a conversation.

    Mutable on purpose: changing one does not restart the processes, so variables survive.
    """

    seconds: float | None = None
    """Seconds for which a block may run; None: no limit. Waiting for input does not count."""
    memory: int | None = None
    """Megabytes that a language's processes may use; None: no limit. Enforced on Linux only."""
    standby_memory: int = 1000
    """Megabytes of memory up to which a process keeps a standby. 0: no process keeps one."""

    def apply(self, settings: Settings) -> None:
        """Take the limits from the settings."""
        self.seconds = settings.max_seconds
        self.memory = settings.max_memory
        self.standby_memory = settings.crash_proof_memory if settings.crash_proof else 0
