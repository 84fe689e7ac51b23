"""What a block may take."""

import sys
from dataclasses import dataclass


@dataclass(kw_only=True)
class Limits:
    """One object for all interpreters of a conversation: a change holds from the next block on."""

    copied: int = 1000
    """Megabytes of memory up to which an interpreter is kept crash-proof, where it can be."""


CRASH_PROOF = sys.platform == "linux"
"""Whether a copy of a process can be kept, and be told from any other."""
