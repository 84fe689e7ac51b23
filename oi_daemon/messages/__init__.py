"""Chunks, stored messages, and the fold of one into the other: values that all else shares."""

from oi_daemon.messages.chunks import (
    ActiveLine,
    Chunk,
    CodeChunk,
    Display,
    EndOfExecution,
    Executing,
    InputRequest,
    LanguageChunk,
    MessageChunk,
    Output,
)
from oi_daemon.messages.folding import Fold, fold
from oi_daemon.messages.stored import (
    AssistantMessage,
    CodeMessage,
    Message,
    UserMessage,
    dump,
    load,
)
from oi_daemon.messages.written import Bundle, Written

__all__ = [
    "ActiveLine",
    "AssistantMessage",
    "Bundle",
    "Chunk",
    "CodeChunk",
    "CodeMessage",
    "Display",
    "EndOfExecution",
    "Executing",
    "Fold",
    "InputRequest",
    "LanguageChunk",
    "Message",
    "MessageChunk",
    "Output",
    "UserMessage",
    "Written",
    "dump",
    "fold",
    "load",
]
