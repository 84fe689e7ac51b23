"""Counting and cutting by tables of our own."""

import base64
import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.model.tokens import Tokenizer, encoding_name, estimate, load, table, tokenizer
from tests.model.counting import CountingTokenizer

CHECKSUMS = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}
SMALL = Tokenizer("cl100k_base")


@pytest.mark.parametrize("encoding", CHECKSUMS)
def test_the_tables_are_those_of_tiktoken(encoding: str) -> None:
    """By the checksum that tiktoken states for its own file."""
    lines = (
        b"%b %d\n" % (base64.b64encode(token), rank) for rank, token in enumerate(table(encoding))
    )
    assert hashlib.sha256(b"".join(lines)).hexdigest() == CHECKSUMS[encoding]


@pytest.mark.parametrize(
    ("encoding", "tokens"),
    [
        ("cl100k_base", [9906, 1917, 0]),
        ("o200k_base", [13225, 2375, 0]),
    ],
)
def test_text_is_encoded_as_openai_does(encoding: str, tokens: list[int]) -> None:
    assert load(encoding).encode_ordinary("Hello world!") == tokens


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4", "cl100k_base"),
        ("gpt-4-32k", "cl100k_base"),
        ("gpt-4-turbo", "cl100k_base"),
        ("gpt-3.5-turbo-16k", "cl100k_base"),
        ("openai/gpt-4", "cl100k_base"),
        ("gpt-4o", "o200k_base"),
        ("gpt-4.1-mini", "o200k_base"),
        ("gpt-4.5-preview", "o200k_base"),
        ("gpt-5", "o200k_base"),
        ("o3", "o200k_base"),
        ("llama3", "o200k_base"),
    ],
)
def test_the_encoding_of_a_model(model: str, encoding: str) -> None:
    assert encoding_name(model) == encoding


def test_a_text_is_counted_once() -> None:
    counter = CountingTokenizer()
    assert counter.count("Hello world") == counter.count("Hello" + " world") == 2
    assert counter.counted == 1


def test_models_of_one_encoding_share_what_was_counted() -> None:
    assert tokenizer("gpt-4") is tokenizer("gpt-3.5-turbo")
    assert tokenizer("gpt-4") is not tokenizer("gpt-4o")


def test_a_cut_keeps_both_ends_and_says_how_much_is_gone() -> None:
    text = "".join(f"line {number}\n" for number in range(10_000))
    cut = SMALL.cut(text, 100)
    assert cut.startswith("line 0\n")
    assert cut.endswith("line 9999\n")
    kept = cut.partition("\n[... ")[0], cut.rpartition("...]\n")[2]
    assert f"[... {len(text) - sum(map(len, kept)):,} characters are left out here ...]" in cut
    assert SMALL.count("".join(kept)) <= 100


def test_what_fits_is_not_cut() -> None:
    text = "word " * 100
    assert SMALL.cut(text, 101) == text


@given(st.text(max_size=300), st.integers(1, 60))
def test_a_cut_is_never_much_larger_than_its_limit(text: str, limit: int) -> None:
    assert SMALL.count(SMALL.cut(text, limit)) <= limit + 25


@pytest.mark.parametrize("text", ["a" * 1_000_000, " " * 1_000_000, "\N{SNOWMAN}" * 300_000])
def test_pathological_text_takes_no_seconds(text: str) -> None:
    counter = Tokenizer("cl100k_base")
    counter.count("warm")
    started = time.process_time()
    counter.count(text)
    counter.cut(text, 2000)
    assert time.process_time() - started < 5


def test_an_estimate_needs_no_table() -> None:
    assert estimate("") == 0
    assert estimate("four") == 1
    assert estimate("fives") == 2
