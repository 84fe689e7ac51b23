"""Fitting a conversation into the context window."""

from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model.tokens import Tokenizer
from oi_daemon.model.trimming import surely_fits, trim
from tests.model.counting import CountingTokenizer

TOKENIZER = Tokenizer("cl100k_base")
ASKED = UserMessage("And now?")


def fitted(messages: list[Message], room: int, max_output: int = 2000) -> list[Message]:
    return [*trim(messages, room=room, max_output=max_output, tokenizer=TOKENIZER).messages]


def size(messages: list[Message]) -> int:
    """Tokens of all that the messages hold."""
    return sum(
        TOKENIZER.count(f"{m.code}{m.output or ''}" if isinstance(m, CodeMessage) else m.message)
        for m in messages
    )


def test_what_fits_is_unchanged() -> None:
    messages: list[Message] = [UserMessage("Hi"), CodeMessage("python", "1", "1"), ASKED]
    assert surely_fits(messages, 1000, 2000)
    assert fitted(messages, 1000) == messages


def test_the_oldest_go_first_and_whole() -> None:
    messages: list[Message] = [UserMessage(f"{n} " + "word " * 50) for n in range(20)]
    kept = fitted(messages, 500)
    assert kept == messages[-len(kept) :]
    assert 4 < len(kept) < 10


def test_the_latest_question_stays_however_much_code_came_after_it() -> None:
    blocks: list[Message] = [CodeMessage("python", f"x = {n}", "word " * 50) for n in range(50)]
    kept = fitted([UserMessage("old"), ASKED, *blocks], 500)
    assert kept[0] == ASKED
    assert kept[1:] == blocks[-len(kept) + 1 :]


def test_an_output_larger_than_the_window_is_cut() -> None:
    block = CodeMessage("python", "dump()", "word " * 100_000)
    asked, kept = fitted([ASKED, block], 400, max_output=1_000_000)
    assert asked == ASKED
    assert isinstance(kept, CodeMessage)
    assert kept.code == "dump()"
    assert "left out" in (kept.output or "")
    assert size([kept]) < 400


def test_a_question_larger_than_the_window_is_cut() -> None:
    (asked,) = fitted([UserMessage("word " * 100_000)], 400)
    assert "left out" in asked.message  # type: ignore[union-attr]
    assert size([asked]) < 400


def test_code_larger_than_the_window_is_cut() -> None:
    kept = fitted([ASKED, CodeMessage("python", "x = 1\n" * 10_000, "y\n" * 10_000)], 400)
    assert size(kept) < 400


def test_the_model_reads_max_output_tokens_of_each_output() -> None:
    block = CodeMessage("python", "dump()", "word " * 5000)
    assert not surely_fits([block, ASKED], 1_000_000, 100)
    kept, _ = fitted([block, ASKED], 1_000_000, max_output=100)
    assert "left out" in (kept.output or "")  # type: ignore[union-attr]
    assert size([kept]) < 130


def test_a_block_that_was_not_run_stays_so() -> None:
    block = CodeMessage("python", "1", None)
    assert fitted([block, ASKED], 1000) == [block, ASKED]


def test_each_message_is_counted_once_also_in_later_turns() -> None:
    tokenizer = CountingTokenizer()
    messages: list[Message] = []
    for n in range(1000):
        messages += [UserMessage(f"question {n}"), CodeMessage("python", f"x = {n}", f"out {n}")]
    trim(messages, room=8000, max_output=2000, tokenizer=tokenizer)
    counted = tokenizer.counted
    assert counted <= 3000
    messages.append(ASKED)
    trim(messages, room=8000, max_output=2000, tokenizer=tokenizer)
    assert tokenizer.counted - counted <= 1


ANY_MESSAGE: st.SearchStrategy[Message] = st.one_of(
    st.builds(UserMessage, st.text(max_size=200)),
    st.builds(AssistantMessage, st.text(max_size=200)),
    st.builds(
        CodeMessage,
        st.just("python"),
        st.text(max_size=200),
        st.none() | st.text(max_size=400),
    ),
)


@given(st.lists(ANY_MESSAGE, max_size=20), st.integers(256, 2000))
def test_what_is_kept_fits_and_holds_the_latest_question(
    messages: list[Message], room: int
) -> None:
    kept = fitted(messages, room)
    assert size(kept) <= room
    asked = [message for message in messages if isinstance(message, UserMessage)]
    assert bool(asked) == any(isinstance(message, UserMessage) for message in kept)
    if surely_fits(messages, room, 2000):
        assert len(kept) == len(messages)


def test_the_beginning_stays_the_same_for_many_rounds_after_the_room_is_full() -> None:
    """Servers cache the beginning of a request: on the average, half of it must not change."""
    messages: list[Message] = [ASKED]
    while len(fitted(messages, 4000)) == len(messages):
        messages.append(CodeMessage("python", f"x = {len(messages)}", "word " * 90))
    shares: list[float] = []
    before = fitted(messages, 4000)
    for n in range(40):
        messages.append(CodeMessage("python", f"y = {n}", "word " * 90))
        now = fitted(messages, 4000)
        pairs = list(zip(before, now, strict=False))
        shared = next((i for i, (old, new) in enumerate(pairs) if old != new), len(pairs))
        shares.append(shared / len(before))
        before = now
    assert sum(shares) / len(shares) >= 0.5


def test_what_is_left_out_is_counted() -> None:
    messages: list[Message] = [UserMessage(f"{n} " + "word " * 50) for n in range(20)]
    trimmed = trim(messages, room=500, max_output=2000, tokenizer=TOKENIZER)
    assert trimmed.left_out + len(trimmed.messages) == 20


def test_what_goes_back_to_the_server_takes_room() -> None:
    thought = {"message": {"reasoning_content": "hm " * 4_000}}
    messages: list[Message] = [
        UserMessage("Go"),
        CodeMessage("python", "1", "1", provider=thought),
        CodeMessage("python", "2", "2"),
    ]
    assert not surely_fits(messages, 2_000, 500)
    assert surely_fits(messages, 4_000, 500)
