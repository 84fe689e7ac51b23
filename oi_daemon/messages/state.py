"""The states of a conversation, as clients draw them."""

from enum import StrEnum


class ConversationState(StrEnum):
    """What a conversation is doing. The daemon decides it; clients derive nothing."""

    IDLE = "idle"
    """No turn is under way."""
    THINKING = "thinking"
    """The model thinks, or writes text or code."""
    APPROVAL = "approval"
    """A block waits for a person's answer."""
    RUNNING = "running"
    """A block runs."""
    INPUT = "input"
    """The running block waits for a line of input."""
    RETRYING = "retrying"
    """The model's server could not answer; the daemon waits, and then asks it again."""
