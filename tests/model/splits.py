"""Ways to split a text into the deltas in which a server may send it."""

from collections.abc import Iterator

from hypothesis import strategies as st


def in_two(text: str) -> Iterator[list[str]]:
    """At every place."""
    for at in range(len(text) + 1):
        yield [text[:at], text[at:]]


def every_split(text: str) -> Iterator[list[str]]:
    """Whole, in two at every place, and character by character."""
    yield [text]
    yield from in_two(text)
    yield list(text)


@st.composite
def pieces(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[str]:
    """A text in pieces of any size."""
    text = draw(texts)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
