"""Chunks, stored messages, and the fold that turns one into the other: plain values."""

from oi_daemon.messages.chunks import (
    ActiveLine,
    BackgroundChunk,
    Chunk,
    CodeChunk,
    Declined,
    Display,
    EndOfExecution,
    EventChunk,
    Executing,
    InputRequest,
    LanguageChunk,
    MessageChunk,
    NoticeChunk,
    Output,
    ThinkingChunk,
)
from oi_daemon.messages.folding import Fold, fold
from oi_daemon.messages.result import BlockError, BlockResult, ResultStatus
from oi_daemon.messages.state import ConversationState
from oi_daemon.messages.stored import (
    AssistantMessage,
    CodeMessage,
    Message,
    UserMessage,
    dump,
    load,
    with_fields_of_file,
)
from oi_daemon.messages.written import Bundle, Written

__all__ = [
    "ActiveLine",
    "AssistantMessage",
    "BackgroundChunk",
    "BlockError",
    "BlockResult",
    "Bundle",
    "Chunk",
    "CodeChunk",
    "CodeMessage",
    "ConversationState",
    "Declined",
    "Display",
    "EndOfExecution",
    "EventChunk",
    "Executing",
    "Fold",
    "InputRequest",
    "LanguageChunk",
    "Message",
    "MessageChunk",
    "NoticeChunk",
    "Output",
    "ResultStatus",
    "ThinkingChunk",
    "UserMessage",
    "Written",
    "dump",
    "fold",
    "load",
    "with_fields_of_file",
]
