"""The documentation's 34/24 as the chunks of a block."""

from oi_daemon.messages import CodeChunk, Executing, LanguageChunk

BLOCK = [
    LanguageChunk("python"),
    CodeChunk("34"),
    CodeChunk(" /"),
    CodeChunk(" "),
    CodeChunk("24"),
    Executing("34 / 24", "python"),
]
