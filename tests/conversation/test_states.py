"""The state of a conversation after each kind of chunk."""

import pytest

from oi_daemon.conversation.states import state_after
from oi_daemon.messages import (
    ActiveLine,
    Chunk,
    CodeChunk,
    ConversationState,
    Declined,
    Display,
    EndOfExecution,
    Executing,
    InputRequest,
    LanguageChunk,
    MessageChunk,
    NoticeChunk,
    Output,
    ThinkingChunk,
)

STATES: list[tuple[Chunk, str]] = [
    (MessageChunk("The"), "thinking"),
    (LanguageChunk("python"), "thinking"),
    (CodeChunk("1"), "thinking"),
    (ThinkingChunk("Hm."), "thinking"),
    (Executing("1", "python", "approval-1"), "approval"),
    (Declined("skip"), "thinking"),
    (Executing("1", "python"), "running"),
    (ActiveLine(1), "running"),
    (ActiveLine(None), "running"),
    (Output("1"), "running"),
    (Display({"text/plain": "1"}), "running"),
    (InputRequest("? ", False, "input-1"), "input"),
    (EndOfExecution(), "thinking"),
    (NoticeChunk("retry", "Asking again."), "retrying"),
]


@pytest.mark.parametrize(
    ("chunk", "state"), STATES, ids=lambda value: value if isinstance(value, str) else type(value)
)
def test_a_chunk_decides_the_state(chunk: Chunk, state: str) -> None:
    assert {state_after(chunk, before) for before in ConversationState} == {state}


def test_another_notice_leaves_the_state_as_it_is_but_ends_the_wait_for_a_retry() -> None:
    notice = NoticeChunk("save", "The disk is full.")
    after = {before: state_after(notice, before) for before in ConversationState}
    assert after.pop(ConversationState.RETRYING) is ConversationState.THINKING
    assert all(before is state for before, state in after.items())
