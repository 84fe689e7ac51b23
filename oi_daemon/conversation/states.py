"""The rule that decides a conversation's state. It exists only here: clients draw what they get."""

from oi_daemon.messages import (
    ActiveLine,
    BackgroundChunk,
    Chunk,
    ConversationState,
    Display,
    EventChunk,
    Executing,
    InputRequest,
    NoticeChunk,
    Output,
)

RETRY = "retry"
"""Kind of the notice about the wait before the model is asked again."""


def state_after(chunk: Chunk, before: ConversationState) -> ConversationState:
    """The state of a conversation in which this chunk has happened.

    Args:
        before: its state until then, which most notices do not change.
    """
    match chunk:
        case Executing(approval=str()):
            return ConversationState.APPROVAL
        case InputRequest():
            return ConversationState.INPUT
        case Executing() | ActiveLine() | Output() | Display():
            return ConversationState.RUNNING
        case NoticeChunk(kind) if kind == RETRY:
            return ConversationState.RETRYING
        case BackgroundChunk():
            return before
        case NoticeChunk():  # any other one comes after the wait
            return ConversationState.THINKING if before is ConversationState.RETRYING else before
        case EventChunk():
            return before
        case _:
            return ConversationState.THINKING
