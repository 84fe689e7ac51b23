"""A tokenizer that tells what it does."""

from oi_daemon.model.tokens import Tokenizer


class CountingTokenizer(Tokenizer):
    """`counted` texts were really counted, and not remembered."""

    def __init__(self, encoding: str = "cl100k_base") -> None:
        super().__init__(encoding)
        self.counted = 0

    def _count(self, text: str) -> int:
        self.counted += 1
        return super()._count(text)
