"""What a server's answers have taught about it and one of its models."""

from dataclasses import dataclass, field

from oi_daemon.model.dialects.requests import ToolStyle


@dataclass(slots=True)
class Learned:
    """What a server's answers have taught about it and one of its models."""

    style: ToolStyle | None = None
    blind: bool = False
    """It takes no pictures."""
    dropped: set[str] = field(default_factory=set)
    """Parameters that it does not take."""
    window: int | None = None
    uncounted: int = 0
    """Tokens of a request besides its conversation: instructions, tools, the server's own."""
