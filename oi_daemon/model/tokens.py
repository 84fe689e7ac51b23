"""Counts and cuts text in tokens, with tables that come with the package.

tiktoken's own `get_encoding` fetches over the network, so it is never called. Loading a table and
counting take time: call these off the loop. As a rule, a text is counted once.
"""

import lzma
import re
from functools import cache
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

PIECE = 20_000
"""Characters that are counted at once: a long run without a space takes more than linear time."""
KEPT = 20_000
"""Texts whose count is remembered."""
LEFT_OUT = "\n[... {:,} characters are left out here ...]\n"


def estimate(text: str) -> int:
    """About how many tokens, without a table: four bytes each."""
    return (len(text.encode("utf-8", "replace")) + 3) // 4


@cache
def tokenizer(model: str) -> "Tokenizer":
    """The tokenizer of a model; of one that is not OpenAI's, an approximation."""
    return _shared(encoding_name(model))


def encoding_name(model: str) -> str:
    return "cl100k_base" if _CL100K.search(model.lower()) else "o200k_base"


class Tokenizer:
    """One encoding, loaded at its first use."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self._counts: dict[tuple[int, int], int] = {}
        self._cuts: dict[tuple[int, int, int], str] = {}

    def count(self, text: str) -> int:
        key = (hash(text), len(text))
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= KEPT:
                self._counts.clear()
            count = self._counts[key] = self._count(text)
        return count

    def cut(self, text: str, limit: int) -> str:
        """The text without what is over `limit` tokens in its middle, and a line that says so."""
        if len(text.encode("utf-8", "replace")) <= limit:
            return text  # a token is a byte at least
        key = (hash(text), len(text), limit)
        cut = self._cuts.get(key)
        if cut is None:
            if len(self._cuts) >= KEPT:
                self._cuts.clear()
            cut = self._cuts[key] = self._cut(text, limit)
        return cut

    def _count(self, text: str) -> int:
        encode = load(self.encoding).encode_ordinary
        return sum(len(encode(text[at : at + PIECE])) for at in range(0, len(text), PIECE))

    def _cut(self, text: str, limit: int) -> str:
        if len(text) <= PIECE * 10 and self._count(text) <= limit:
            return text
        encoding = load(self.encoding)
        # Ends of eight characters a token are enough to choose from, however long the text is.
        head = encoding.encode_ordinary(text[: limit * 8])[: (limit + 1) // 2]
        tail = encoding.encode_ordinary(text[-limit * 8 :])
        begin = encoding.decode_bytes(head).decode("utf-8", "ignore")
        end = encoding.decode_bytes(tail[len(tail) - limit // 2 :]).decode("utf-8", "ignore")
        left_out = len(text) - len(begin) - len(end)
        return f"{begin}{LEFT_OUT.format(left_out)}{end}" if left_out > 0 else text


@cache
def _shared(encoding: str) -> Tokenizer:
    return Tokenizer(encoding)


@cache
def load(encoding: str) -> "tiktoken.Encoding":
    import tiktoken

    ranks = {token: rank for rank, token in enumerate(table(encoding))}
    pattern, special = _FACTS[encoding]
    return tiktoken.Encoding(
        encoding, pat_str=pattern, mergeable_ranks=ranks, special_tokens=special
    )


def table(encoding: str) -> list[bytes]:
    """All tokens in the order of their ranks; `scripts/make-token-tables` makes the files."""
    packed = files("oi_daemon.model").joinpath(f"tables/{encoding}.xz").read_bytes()
    plain = lzma.decompress(packed)
    count = int.from_bytes(plain[:4])
    ends = accumulate(plain[4 : 4 + count], initial=4 + count)
    return [plain[start:end] for start, end in pairwise(ends)]


_CL100K = re.compile(r"^(?:.*/)?(?:ft:)?gpt-(?:4(?![o.\d])|3\.5|35)")

# The patterns by which the encodings split text, and their special tokens, as tiktoken has them.
_FACTS: dict[str, tuple[str, dict[str, int]]] = {
    "cl100k_base": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
        r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        {"<|endoftext|>": 100257, "<|endofprompt|>": 100276},
    ),
    "o200k_base": (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        {"<|endoftext|>": 199999, "<|endofprompt|>": 200018},
    ),
}
