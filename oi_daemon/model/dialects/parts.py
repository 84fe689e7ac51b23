"""What a model's reply consists of, whatever its dialect."""

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk, MessageChunk

ReplyPart = MessageChunk | LanguageChunk | CodeChunk | Executing
"""Some more text or code; `Executing` ends each complete block and holds all of its code."""
