"""Counts and cuts text in tokens, with tables that come with the package.

tiktoken's own `get_encoding` downloads its tables, so it is never called. Loading a table and
counting are slow: do both off the loop. Counts are remembered, so a text is usually counted once.
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
"""Characters that are encoded at once, because a long text without spaces takes more than linear
time."""
REMEMBERED = 20_000
"""Number of texts whose count is remembered."""
LEFT_OUT = "\n[... {:,} characters are left out here ...]\n"
OUTPUT_LEFT_OUT = (
    "\n[... {:,} characters are left out here; to see more, print less at a time ...]\n"
)
"""The line in place of what is left out of a block's output. It takes a number of characters."""


def estimate(text: str) -> int:
    """Return about how many tokens the text has, without a table: one for every four bytes."""
    return (len(text.encode("utf-8", "replace")) + 3) // 4


@cache
def tokenizer(model: str) -> "Tokenizer":
    """Return the tokenizer for a model. It is exact for OpenAI's models only."""
    return _shared(encoding_name(model))


def encoding_name(model: str) -> str:
    """Return the name of the encoding that the model uses."""
    return "cl100k_base" if _CL100K.search(model.lower()) else "o200k_base"


class Tokenizer:
    """Counts by one encoding, whose table is loaded at the first use."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self._counts: dict[tuple[int, int], int] = {}
        """Tokens of a text by its hash and length."""
        self._cuts: dict[tuple[int, int, int, str], str] = {}
        """Result of `cut` by the text's hash and length, the limit and the line."""

    def count(self, text: str) -> int:
        """Return how many tokens the text has."""
        key = (hash(text), len(text))
        count = self._counts.get(key)
        if count is None:
            if len(self._counts) >= REMEMBERED:
                self._counts.clear()
            count = self._counts[key] = self._count(text)
        return count

    def cut(self, text: str, limit: int, line: str = LEFT_OUT) -> str:
        """Return the text, shortened to `limit` tokens; a line in its middle tells what is gone."""
        if len(text.encode("utf-8", "replace")) <= limit:
            return text  # because a token is at least one byte
        key = (hash(text), len(text), limit, line)
        cut = self._cuts.get(key)
        if cut is None:
            if len(self._cuts) >= REMEMBERED:
                self._cuts.clear()
            cut = self._cuts[key] = self._cut(text, limit, line)
        return cut

    def _count(self, text: str) -> int:
        encode = load(self.encoding).encode_ordinary
        return sum(len(encode(text[at : at + PIECE])) for at in range(0, len(text), PIECE))

    def _cut(self, text: str, limit: int, line: str) -> str:
        if len(text) <= PIECE * 10 and self._count(text) <= limit:
            return text
        encoding = load(self.encoding)
        # Eight characters for each token are enough, so that a long text is not encoded whole.
        head = encoding.encode_ordinary(text[: limit * 8])[: (limit + 1) // 2]
        tail = encoding.encode_ordinary(text[-limit * 8 :])
        begin = encoding.decode_bytes(head).decode("utf-8", "ignore")
        end = encoding.decode_bytes(tail[len(tail) - limit // 2 :]).decode("utf-8", "ignore")
        left_out = len(text) - len(begin) - len(end)
        return f"{begin}{line.format(left_out)}{end}" if left_out > 0 else text


@cache
def _shared(encoding: str) -> Tokenizer:
    """Return the one tokenizer of an encoding, which all models with this encoding use."""
    return Tokenizer(encoding)


@cache
def load(encoding: str) -> "tiktoken.Encoding":
    """Return tiktoken's encoding, made from our table. Takes up to half a second the first time."""
    import tiktoken

    ranks = {token: rank for rank, token in enumerate(table(encoding))}
    pattern, special = _FACTS[encoding]
    return tiktoken.Encoding(
        encoding, pat_str=pattern, mergeable_ranks=ranks, special_tokens=special
    )


def table(encoding: str) -> list[bytes]:
    """Return all tokens by rank, from a file that `scripts/make-token-tables` has made."""
    packed = files("oi_daemon.model").joinpath(f"tables/{encoding}.xz").read_bytes()
    plain = lzma.decompress(packed)
    count = int.from_bytes(plain[:4])
    ends = accumulate(plain[4 : 4 + count], initial=4 + count)
    return [plain[start:end] for start, end in pairwise(ends)]


_CL100K = re.compile(r"^(?:.*/)?(?:ft:)?gpt-(?:4(?![o.\d])|3\.5|35)")

# The pattern by which each encoding splits text, and its special tokens, as tiktoken has them.
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
