"""What one model of a server can do, as far as the server's answers have shown."""

from dataclasses import dataclass, field

from oi_daemon.model.apis import Api
from oi_daemon.model.dialects.instructions import ToolStyle


@dataclass(slots=True)
class Capabilities:
    """What one model of a server can do. Updated when the server refuses something."""

    api: Api | None = None
    """The API that the server has asked for; None until it has refused one."""
    accepts_custom_tools: bool = True
    """Whether `/responses` takes custom tools; False once the server has refused them."""
    tool_style: ToolStyle | None = None
    """The way to ask for code that the server accepts; None until it has refused one."""
    accepts_pictures: bool = True
    """False once the server has refused a request because of its pictures."""
    accepts_provider_data: bool = True
    """False once the server has refused what it gave us to send back; see `provider`."""
    wants_signatures: bool = False
    """True once the server has refused calls without a signature of its own."""
    rejected_parameters: set[str] = field(default_factory=set)
    """Names of request parameters that the server has refused; they are no longer sent."""
    context_window: int | None = None
    """Tokens of the context window, read from an error of the server; None if none has told it."""
    listed_window: int | None = None
    """Tokens of the context window as the server's list of models tells; 0 if it does not, and None
    if it was not asked."""
    overhead_tokens: int = 0
    """Input tokens of the latest request beyond those of its conversation.

    These are the instructions, the tool definitions and what the server adds itself.
    """
    thinks_unmarked: bool | None = None
    """Whether the model's text begins with thinking that has an end tag only; None until a reply
    has shown it."""
    effort: str | None = None
    """The only `reasoning_effort` with which the model takes tools; None if that is not known."""

    def learn_thinking(self, *, ends_unmarked: bool | None) -> None:
        """Keep how the thinking in a reply ended; see `ThinkingFilter.ends_unmarked`."""
        if ends_unmarked or self.thinks_unmarked is None:
            self.thinks_unmarked = ends_unmarked
