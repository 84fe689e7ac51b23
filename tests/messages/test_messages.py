"""Chunks fold into messages; messages are stored and read back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.errors import InvalidError
from oi_daemon.messages import (
    ActiveLine,
    AssistantMessage,
    BlockError,
    BlockResult,
    Chunk,
    CodeChunk,
    CodeMessage,
    Declined,
    Display,
    EndOfExecution,
    Executing,
    Fold,
    InputRequest,
    LanguageChunk,
    Message,
    MessageChunk,
    NoticeChunk,
    Output,
    ThinkingChunk,
    UserMessage,
    dump,
    fold,
    load,
    with_fields_of_file,
)
from tests.growth import grows_linearly

EXAMPLE: list[Chunk] = [
    LanguageChunk("python"),
    *map(CodeChunk, ["34", " /", " ", "24"]),
    Executing("34 / 24", "python"),
    ActiveLine(1),
    Output("1.4166666666666667\n"),
    ActiveLine(None),
    EndOfExecution(),
    *map(MessageChunk, ["The", " result", " of", " the", " division", " ", "34", "/", "24"]),
    *map(MessageChunk, [" is", " approximately", " ", "1", ".", "42", "."]),
]
PICTURE = {"image/png": "aGk=", "text/plain": "<Figure>"}

texts = st.text(max_size=20)
bundles = st.dictionaries(texts, texts | st.integers() | st.lists(texts), max_size=2)
messages = st.one_of(
    st.builds(UserMessage, texts),
    st.builds(AssistantMessage, texts),
    st.builds(
        CodeMessage,
        texts,
        texts,
        st.none() | texts,
        st.lists(bundles, max_size=2).map(tuple),
        status=st.sampled_from([None, "error", "interrupted", "killed", "declined"]),
        error=st.none() | st.builds(BlockError, st.text(min_size=1, max_size=9), texts),
    ),
)
chunks = st.one_of(
    st.builds(MessageChunk, texts),
    st.builds(LanguageChunk, texts),
    st.builds(CodeChunk, texts),
    st.builds(Executing, texts, texts),
    st.builds(Output, texts),
    st.builds(Display, bundles),
    st.builds(ActiveLine, st.none() | st.integers(1, 9)),
    st.builds(InputRequest, texts, st.booleans(), texts),
    st.just(EndOfExecution()),
    st.builds(Declined, st.sampled_from(["skip", "stop", "gone"])),
    st.builds(ThinkingChunk, texts),
    st.builds(NoticeChunk, texts, texts),
)


def block(*after: Chunk) -> list[Message]:
    return fold([LanguageChunk("python"), CodeChunk("f()"), Executing("f()", "python"), *after])


def test_the_documented_stream_folds_to_the_documented_messages() -> None:
    assert [dump(message) for message in fold(EXAMPLE)] == [
        {
            "role": "assistant",
            "language": "python",
            "code": "34 / 24",
            "output": "1.4166666666666667",
        },
        {
            "role": "assistant",
            "message": "The result of the division 34/24 is approximately 1.42.",
        },
    ]


def test_a_declined_block_has_no_output() -> None:
    code = {"role": "assistant", "language": "python", "code": "f()"}
    assert dump(*block()) == code
    assert dump(*block(Declined("skip"))) == {**code, "status": "declined"}


def test_a_block_that_printed_nothing_has_empty_output() -> None:
    assert block(ActiveLine(None), EndOfExecution()) == [CodeMessage("python", "f()", "")]


@pytest.mark.parametrize(
    ("printed", "kept"), [("a\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("\n", ""), (" a \n", " a ")]
)
def test_one_newline_at_the_end_of_output_is_removed(printed: str, kept: str) -> None:
    assert block(Output(printed), EndOfExecution()) == [CodeMessage("python", "f()", kept)]


def test_edited_code_replaces_the_models() -> None:
    after: list[Chunk] = [Executing("g()", "python"), Output("1\n"), EndOfExecution()]
    assert block(*after) == [CodeMessage("python", "g()", "1")]


def test_the_complete_block_overrules_its_pieces() -> None:
    pieces: list[Chunk] = [LanguageChunk("py"), CodeChunk("34 /")]
    assert fold([*pieces, Executing("34 / 24", "python")]) == [CodeMessage("python", "34 / 24")]


def test_each_block_is_a_message_of_its_own() -> None:
    once: list[Chunk] = [Executing("f()", "python"), EndOfExecution()]
    assert fold([*once, *once]) == [CodeMessage("python", "f()", "")] * 2


def test_a_display_stands_in_the_output_as_its_text() -> None:
    after: list[Chunk] = [Output("a\n"), Display(PICTURE), Output("b\n"), EndOfExecution()]
    assert block(*after) == [CodeMessage("python", "f()", "a\n<Figure>\nb", (PICTURE,))]


def test_a_message_without_text_is_none() -> None:
    assert fold([MessageChunk(""), LanguageChunk("python")]) == [CodeMessage("python", "")]


def test_the_last_message_can_be_seen_while_it_grows() -> None:
    folding = Fold()
    folding.add(MessageChunk("The"))
    first = folding.messages
    folding.add(MessageChunk(" result"))

    assert (first, folding.messages) == (
        [AssistantMessage("The")],
        [AssistantMessage("The result")],
    )


@given(st.lists(chunks, max_size=20), st.data())
def test_where_text_is_split_makes_no_difference(whole: list[Chunk], data: st.DataObject) -> None:
    split: list[Chunk] = []
    for chunk in whole:
        if isinstance(chunk, MessageChunk | CodeChunk | Output):
            at = data.draw(st.integers(0, len(chunk.text)))
            split += [type(chunk)(chunk.text[:at]), type(chunk)(chunk.text[at:])]
        else:
            split.append(chunk)

    assert fold(split) == fold(whole)


@given(st.lists(chunks, max_size=20), st.integers(0, 20))
def test_looking_at_the_messages_changes_nothing(some: list[Chunk], at: int) -> None:
    folding = Fold()
    for index, chunk in enumerate(some):
        if index == at:
            assert folding.messages == fold(some[:at])
        folding.add(chunk)

    assert folding.messages == fold(some)


def test_time_grows_with_the_length() -> None:
    def work(count: int) -> None:
        code, output = [CodeChunk("x" * 40)] * count, [Output("y" * 40)] * count
        fold([LanguageChunk("python"), *code, *output])

    assert grows_linearly(work, 20_000)


@given(st.lists(messages, max_size=5))
def test_what_is_stored_reads_back(some: list[Message]) -> None:
    assert load([dump(message) for message in some]) == some


def test_the_documented_messages_are_given_back_as_they_came() -> None:
    documented = [
        {"role": "user", "message": "Hi! Can you print hello world?"},
        {"role": "assistant", "message": "Sure!"},
        {
            "role": "assistant",
            "language": "python",
            "code": "print('Hello, World!')",
            "output": "Hello, World!",
        },
    ]
    assert [dump(message) for message in load(documented)] == documented


def test_the_merged_shape_is_taken() -> None:
    """What Open Interpreter 0.1 kept: text, code and output of one reply in one object."""
    merged = [
        {"role": "user", "message": "Hi"},
        {
            "role": "assistant",
            "message": "Sure!",
            "language": "python",
            "code": "1",
            "output": "1",
        },
        {"role": "assistant", "message": "", "language": "shell", "code": "ls", "output": None},
    ]
    assert load(merged) == [
        UserMessage("Hi"),
        AssistantMessage("Sure!"),
        CodeMessage("python", "1", "1"),
        CodeMessage("shell", "ls"),
    ]


def test_the_later_shape_is_taken() -> None:
    """Code and what it printed are messages of their own, and so are its active lines."""
    computer = {"role": "computer", "type": "console"}
    later = [
        {"role": "user", "type": "message", "content": "Hi"},
        {"role": "assistant", "type": "message", "content": "Sure!"},
        {"role": "assistant", "type": "code", "format": "python", "content": "f()"},
        {**computer, "format": "active_line", "content": "1"},
        {**computer, "format": "output", "content": "a\n"},
        {**computer, "format": "output", "content": "b"},
    ]
    assert load(later) == [
        UserMessage("Hi"),
        AssistantMessage("Sure!"),
        CodeMessage("python", "f()", "a\nb"),
    ]


def test_fields_that_are_not_known_are_passed_over() -> None:
    assert load([{"role": "user", "message": "Hi", "id": 7}]) == [UserMessage("Hi")]


def test_what_the_models_server_wants_back_is_kept_in_the_file_only() -> None:
    block = CodeMessage("python", "1", "1", provider={"call_id": "call_1"})
    assert "provider" not in dump(block)
    assert load([dump(block, for_file=True)]) == [block]


def test_exit_status_and_time_are_kept_in_the_file_only_where_they_say_something() -> None:
    block = CodeMessage("shell", "false", "", exit=1, seconds=0.5)
    long = CodeMessage("python", "1", "1", seconds=1.5)
    for each in (block, long):
        assert dump(each).keys() == {"role", "language", "code", "output"}
        assert load([dump(each, for_file=True)]) == [each]
    short = CodeMessage("python", "1", "1", seconds=0.5)
    assert dump(short, for_file=True) == dump(short)


def test_how_a_block_ended_is_stored() -> None:
    error = BlockError("ValueError", "no", ("Traceback", "ValueError: no"))
    for result, stored in (
        (BlockResult("ok", 0.5), {}),
        (BlockResult("interrupted", 0.5), {"status": "interrupted"}),
        (BlockResult("error", 0.5, error=error), {"status": "error", "error": error.dump()}),
    ):
        [message] = block(Output("1\n"), EndOfExecution(result))
        code = {"role": "assistant", "language": "python", "code": "f()"}
        assert dump(message) == {**code, "output": "1", **stored}


def test_a_large_error_is_cut() -> None:
    """Cutting it again changes nothing."""
    lines = [f"line {number}" for number in range(1000)]
    told = {"name": "E", "message": "x" * 9999, "traceback": [*lines, "y" * 9999]}
    error = BlockError.bounded(told)
    assert len(error.message) == 2000
    assert len(error.traceback) == 100
    assert error.traceback[49:52] == ("line 49", "[... 902 lines left out ...]", "line 952")
    assert BlockError.bounded(error.dump()) == error


def test_what_is_missing_in_an_error_is_replaced() -> None:
    """Other versions, and Jupyter kernels, may tell less."""
    [message] = load([{**CODE, "error": {"message": None}}])
    assert message == CodeMessage("python", "1", error=BlockError("Error", ""))


def test_a_conversation_that_a_client_sets_keeps_what_only_the_file_has() -> None:
    first, second = (
        CodeMessage("shell", "1", "1", exit=0, provider={"call_id": id}) for id in ("a", "b")
    )
    other = CodeMessage("python", "2")
    set_by_client = load([dump(each) for each in (first, UserMessage("Go"), other, second)])
    assert with_fields_of_file(set_by_client, [first, second]) == [
        first,
        UserMessage("Go"),
        other,
        second,
    ]


def test_a_status_that_is_not_known_is_passed_over() -> None:
    assert load([{**CODE, "status": "paused"}]) == [CodeMessage("python", "1")]


CODE = {"role": "assistant", "language": "python", "code": "1"}


@pytest.mark.parametrize(
    ("item", "place"),
    [
        ("Hi", "messages[1]:"),
        (None, "messages[1]:"),
        ({}, "messages[1].role:"),
        ({"role": "system", "message": "Hi"}, "messages[1].role:"),
        ({"role": "computer", "message": "Hi"}, "messages[1].role:"),
        ({"role": ["user"], "message": "Hi"}, "messages[1].role:"),
        ({"role": "user"}, "messages[1].message:"),
        ({"role": "user", "message": 7}, "messages[1].message:"),
        ({"role": "assistant"}, "messages[1]:"),
        ({"role": "assistant", "message": None}, "messages[1].message:"),
        ({"role": "assistant", "code": "1"}, "messages[1].language:"),
        ({**CODE, "code": 1}, "messages[1].code:"),
        ({**CODE, "output": ["1"]}, "messages[1].output:"),
        ({**CODE, "displays": "png"}, "messages[1].displays:"),
        ({**CODE, "displays": ["png"]}, "messages[1].displays:"),
        ({"role": "user", "type": "message", "message": "Hi"}, "messages[1].content:"),
        ({"role": "user", "type": "image", "content": ""}, "messages[1].type:"),
        ({"role": "assistant", "type": "code", "content": "1"}, "messages[1].format:"),
        ({"role": "computer", "type": "console", "content": "1"}, "messages[1]:"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(item: Any, place: str) -> None:
    with pytest.raises(InvalidError) as refused:
        load([{"role": "user", "message": "Hi"}, item])
    assert str(refused.value).startswith(place)


@pytest.mark.parametrize("stored", [None, 7, "text", {"role": "user", "message": "Hi"}])
def test_only_a_list_holds_messages(stored: Any) -> None:
    with pytest.raises(InvalidError, match="expected a list of messages"):
        load(stored)
