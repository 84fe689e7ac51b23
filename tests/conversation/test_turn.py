"""The turn, against a scripted model, an echo language and a person who answers from a list."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oi_daemon.conversation.collaborators import Answer, Decision
from oi_daemon.conversation.turn import Status
from oi_daemon.errors import ConnectionLostError
from oi_daemon.messages import (
    ActiveLine,
    AssistantMessage,
    Chunk,
    CodeChunk,
    CodeMessage,
    Declined,
    EndOfExecution,
    Executing,
    InputRequest,
    LanguageChunk,
    Message,
    MessageChunk,
    NoticeChunk,
    Output,
    fold,
)
from oi_daemon.messages.chunks import DeclinedBy
from oi_daemon.messages.usage import Quote, Usage
from tests.fakes.turns import (
    ASKED,
    AutoRun,
    Client,
    ListedApproval,
    Scene,
    Step,
    block,
    said,
)
from tests.patience import PATIENCE

RUN, SKIP, STOP, ALWAYS, GONE = (Answer(decision) for decision in Decision)


def asking(*answers: Answer | None) -> ListedApproval:
    return ListedApproval(answers)


def ran(code: str) -> list[Chunk]:
    return [ActiveLine(1), Output(f"{code}\n"), ActiveLine(None), EndOfExecution()]


async def test_a_turn_goes_on_until_the_model_has_answered() -> None:
    scene = Scene(block("34 / 24"), said("The", " result"))

    assert await scene.turn.answer() is Status.DONE

    assert scene.chunks == [
        LanguageChunk("python"),
        CodeChunk("34 "),
        CodeChunk("/ 24"),
        Executing("34 / 24", "python"),
        *ran("34 / 24"),
        MessageChunk("The"),
        MessageChunk(" result"),
    ]
    assert scene.turn.messages == [
        CodeMessage("python", "34 / 24", "34 / 24"),
        AssistantMessage("The result"),
    ]


async def test_the_model_is_asked_again_with_the_output() -> None:
    scene = Scene(block("34 / 24"), said("Done"))

    await scene.turn.answer()

    assert scene.model.asked == [[ASKED], [ASKED, CodeMessage("python", "34 / 24", "34 / 24")]]


async def test_an_approved_block_is_announced_once() -> None:
    scene = Scene(block("1"), [], approval=asking(RUN))

    await scene.turn.answer()

    assert scene.chunks[3:] == [Executing("1", "python", "approval-1"), *ran("1")]


async def test_edited_code_is_what_runs_and_what_history_holds() -> None:
    scene = Scene(block("rm"), said("ok"), approval=asking(Answer(Decision.RUN, "ls")))

    await scene.turn.answer()

    waits, runs = (chunk for chunk in scene.chunks if isinstance(chunk, Executing))
    assert (waits, runs) == (Executing("rm", "python", "approval-1"), Executing("ls", "python"))
    assert scene.execution.ran == ["ls"]
    assert scene.turn.messages[0] == CodeMessage("python", "ls", "ls")


async def test_a_block_edited_to_nothing_runs_nothing_of_the_models() -> None:
    scene = Scene(block("rm"), said("ok"), approval=asking(Answer(Decision.RUN, "")))

    await scene.turn.answer()

    assert scene.execution.ran == [""]


async def test_the_model_is_told_of_a_skipped_block() -> None:
    scene = Scene(block("rm"), said("As you like"), approval=asking(SKIP))

    assert await scene.turn.answer() is Status.DONE

    assert scene.execution.ran == []
    declined = CodeMessage("python", "rm", status="declined")
    assert scene.model.asked[1] == [ASKED, declined]
    assert scene.turn.messages[0] == declined
    assert Declined("skip") in scene.chunks


@pytest.mark.parametrize(("answer", "by"), [(STOP, "stop"), (GONE, "gone")])
async def test_stop_ends_the_turn(answer: Answer, by: DeclinedBy) -> None:
    scene = Scene([*block("rm"), *said("never said")], approval=asking(answer))

    assert await scene.turn.answer() is Status.STOPPED

    assert scene.execution.ran == []
    assert scene.model.open == 0
    assert scene.turn.messages == [CodeMessage("python", "rm", status="declined")]
    assert scene.chunks[-1] == Declined(by)
    assert scene.saved[-1] == scene.turn.messages


async def test_after_always_nothing_is_asked() -> None:
    approval = asking(ALWAYS)
    scene = Scene([*block("1"), *block("2")], block("3"), said("ok"), approval=approval)

    await scene.turn.answer()

    assert scene.execution.ran == ["1", "2", "3"]
    assert approval.opened == 1


async def test_a_reply_may_hold_several_blocks_with_text_between() -> None:
    scene = Scene([*said("A"), *block("1"), *said("B"), *block("2")], said("C"))

    await scene.turn.answer()

    assert scene.turn.messages == [
        AssistantMessage("A"),
        CodeMessage("python", "1", "1"),
        AssistantMessage("B"),
        CodeMessage("python", "2", "2"),
        AssistantMessage("C"),
    ]
    assert len(scene.model.asked) == 2


async def test_the_next_replys_text_is_not_glued_to_the_last() -> None:
    scene = Scene([*block("1"), *said("It runs.")], said("It ran."))

    await scene.turn.answer()

    assert scene.turn.messages[-1] == AssistantMessage("It runs.\n\nIt ran.")


async def test_rounds_have_an_end() -> None:
    scene = Scene(*[block("again")] * 3, max_rounds=3)

    assert await scene.turn.answer() is Status.STOPPED

    assert scene.execution.ran == ["again"] * 3
    assert "max_rounds" in _last_text(scene)


async def test_no_request_is_sent_over_the_budget() -> None:
    scene = Scene([*block("1"), Usage(10, 10, 0.02)], said("never asked"), max_budget=0.01)

    assert await scene.turn.answer() is Status.BUDGET

    assert len(scene.model.asked) == 1
    assert "max_budget" in _last_text(scene)


async def test_a_request_that_may_cost_too_much_is_not_sent() -> None:
    scene = Scene([Quote("m", 0.001, 0.02), *said("never sent")], max_budget=0.01)

    assert await scene.turn.answer() is Status.BUDGET

    assert scene.model.open == 0
    assert scene.chunks == scene.chunks[:1]
    assert "$0.0200" in _last_text(scene)


async def test_a_request_that_the_budget_allows_is_sent() -> None:
    scene = Scene([Quote("m", 0.001, 0.01), *said("sent")], max_budget=0.01)

    assert await scene.turn.answer() is Status.DONE


async def test_a_request_whose_input_alone_costs_too_much_is_not_sent() -> None:
    scene = Scene([Quote("m", 0.02), *said("never sent")], max_budget=0.01)

    assert await scene.turn.answer() is Status.BUDGET

    assert scene.model.open == 0
    assert "input of the next request alone costs about $0.0200" in _last_text(scene)


async def test_that_the_output_has_no_limit_is_said_once() -> None:
    quote = Quote("m", 0.001)
    scene = Scene([quote, *block("1")], [quote, *said("sent")], max_budget=0.01)

    assert await scene.turn.answer() is Status.DONE

    notices = [chunk for chunk in scene.chunks if isinstance(chunk, NoticeChunk)]
    assert [notice.kind for notice in notices] == ["limit"]


async def test_a_model_without_a_price_is_asked_only_after_a_yes() -> None:
    replies = [Quote("m", None), *block("1")], [Quote("m", None), *said("sent")]
    scene = Scene(*replies, approval=AutoRun(agrees=True), max_budget=0.01)

    assert await scene.turn.answer() is Status.DONE

    questions = [chunk for chunk in scene.chunks if isinstance(chunk, InputRequest)]
    assert [question.input for question in questions] == ["question-1"]
    assert "price of m is not known" in questions[0].prompt


async def test_without_a_yes_a_model_without_a_price_is_not_asked() -> None:
    scene = Scene([Quote("m", None), *said("never sent")], max_budget=0.01)

    assert await scene.turn.answer() is Status.BUDGET

    assert "no request was sent" in _last_text(scene)


async def test_what_a_reply_used_that_was_cut_off_is_counted() -> None:
    scene = Scene(block("rm"), approval=asking(STOP))
    scene.model.cut_off = Usage(10, 5, 0.02)

    assert await scene.turn.answer() is Status.STOPPED

    assert scene.budget.cost == 0.02


async def test_an_error_keeps_what_was_said() -> None:
    scene = Scene([*block("1"), *said("Then"), ConnectionLostError("gone")])

    with pytest.raises(ConnectionLostError):
        await scene.turn.answer()

    assert scene.turn.messages == [CodeMessage("python", "1", "1"), AssistantMessage("Then")]
    assert scene.saved[-1] == scene.turn.messages


async def test_the_persons_own_code_asks_nobody() -> None:
    scene = Scene(approval=asking())

    assert await scene.turn.execute("python", "2+2") is Status.DONE

    assert scene.chunks == [Executing("2+2", "python"), *ran("2+2")]
    assert scene.model.asked == []
    assert scene.turn.messages == [CodeMessage("python", "2+2", "2+2")]


async def test_the_output_of_the_persons_own_code_is_shown_while_it_runs() -> None:
    """Also if nothing more comes for long."""
    scene = Scene()
    running = asyncio.create_task(scene.turn.execute("python", "wait"))
    await asyncio.wait_for(scene.client.seen(Output("wait\n")), PATIENCE)
    scene.turn.interrupt()
    assert await running is Status.INTERRUPTED
    assert Output("stopped\n") in scene.chunks


async def test_each_message_is_kept_when_it_is_complete() -> None:
    """Code before it runs, its output when it has run, the last text when the turn ends."""
    scene = Scene(block("1"), said("ok"))

    await scene.turn.answer()

    kept = [saved for before, saved in pairwise([[], *scene.saved]) if saved != before]
    assert kept == [
        [CodeMessage("python", "1", None)],
        [CodeMessage("python", "1", "1")],
        [CodeMessage("python", "1", "1"), AssistantMessage("ok")],
    ]


async def test_a_message_is_kept_before_the_client_hears_that_it_is_complete() -> None:
    scene = Scene([*said("First"), *block("1")], [])
    kept_when_heard: dict[type[Chunk], list[Message]] = {}

    def hear() -> None:
        kept_when_heard[type(scene.chunks[-1])] = scene.saved[-1] if scene.saved else []

    scene.client.on_chunk = hear
    await scene.turn.answer()

    first = AssistantMessage("First")
    assert kept_when_heard[LanguageChunk] == [first]
    assert kept_when_heard[Executing] == [first, CodeMessage("python", "1", None)]
    assert kept_when_heard[EndOfExecution] == [first, CodeMessage("python", "1", "1")]


async def test_interrupted_while_the_model_is_silent() -> None:
    scene = Scene([*said("Let me "), asyncio.Event()])

    assert (
        await scene.interrupted_at(scene.client.seen(MessageChunk("Let me "))) is Status.INTERRUPTED
    )

    assert scene.turn.messages == [AssistantMessage("Let me ")]
    assert scene.saved[-1] == scene.turn.messages


async def test_interrupted_while_code_is_written() -> None:
    scene = Scene([LanguageChunk("python"), CodeChunk("pri"), asyncio.Event()])

    assert await scene.interrupted_at(scene.client.seen(CodeChunk("pri"))) is Status.INTERRUPTED

    assert scene.turn.messages == [CodeMessage("python", "pri", None)]


async def test_interrupted_while_a_block_waits_for_approval() -> None:
    scene = Scene(block("1"), approval=asking(None))
    waits = Executing("1", "python", "approval-1")

    assert await scene.interrupted_at(scene.client.seen(waits)) is Status.INTERRUPTED

    assert scene.execution.ran == []
    assert scene.turn.messages == [CodeMessage("python", "1", status="declined")]
    assert scene.chunks[-1] == Declined("stop")


async def test_interrupted_while_code_runs() -> None:
    scene = Scene(block("wait"), said("never asked"))

    assert await scene.interrupted_at(scene.execution.started.wait()) is Status.INTERRUPTED

    assert scene.turn.messages == [CodeMessage("python", "wait", "wait\nstopped")]
    assert scene.chunks[-1] == EndOfExecution()
    assert len(scene.model.asked) == 1


@pytest.mark.parametrize(
    "stuck", [MessageChunk("slow"), CodeChunk("wa"), Executing("wait", "python"), Output("wait\n")]
)
async def test_interrupted_while_the_client_takes_nothing(stuck: Chunk) -> None:
    client = Client(blocks_at=stuck)
    scene = Scene([*said("slow"), *block("wait")], client=client)

    assert await scene.interrupted_at(client.blocked.wait()) is Status.INTERRUPTED

    assert scene.turn.messages == fold(scene.chunks)


async def test_code_stops_even_while_the_client_takes_nothing() -> None:
    client = Client(blocks_at=Output("wait\n"))
    scene = Scene(block("wait"), client=client)
    answering = asyncio.create_task(scene.turn.answer())
    await client.blocked.wait()

    scene.turn.interrupt()

    assert scene.execution.interrupted
    client.reads_on.set()
    assert await answering is Status.INTERRUPTED


async def test_interrupted_before_it_began() -> None:
    scene = Scene(said("never asked"))

    scene.turn.interrupt()

    assert await scene.turn.answer() is Status.INTERRUPTED
    assert scene.model.asked == []


async def test_interrupted_by_what_takes_its_chunks() -> None:
    """The interrupt comes out of `emit` itself, with the last chunk: nothing outlives the turn."""
    scene = Scene(said("last"))
    scene.client.on_chunk = scene.turn.interrupt

    assert await scene.turn.answer() is Status.INTERRUPTED
    await asyncio.sleep(0)


async def test_interrupted_twice_at_once() -> None:
    scene = Scene([*said("Let me "), asyncio.Event()])
    answering = asyncio.create_task(scene.turn.answer())
    await scene.client.seen(MessageChunk("Let me "))

    scene.turn.interrupt()
    scene.turn.interrupt()

    assert await answering is Status.INTERRUPTED
    assert answering.cancelling() == 0


async def test_an_interrupt_after_the_end_does_nothing() -> None:
    scene = Scene(said("ok"))
    assert await scene.turn.answer() is Status.DONE

    scene.turn.interrupt()

    await asyncio.sleep(0)


@pytest.mark.parametrize("interrupted", [False, True])
async def test_a_cancellation_from_outside_is_one(interrupted: bool) -> None:
    """Whoever cancels the task, as at a shutdown, is obeyed; even if an interrupt came before."""
    scene = Scene(block("wait"), client=Client(blocks_at=Output("wait\n")))
    answering = asyncio.create_task(scene.turn.answer())
    await scene.client.blocked.wait()

    if interrupted:
        scene.turn.interrupt()
    answering.cancel()

    with pytest.raises(asyncio.CancelledError):
        await answering
    assert scene.model.open == scene.execution.open == 0


texts = st.lists(st.text("ab \n", max_size=3), max_size=3)
blocks = st.sampled_from(["", "1", "print()\n"])
parts = st.one_of(texts.map(lambda some: said(*some)), blocks.map(block))
replies = st.lists(parts, max_size=4).map(lambda some: [step for part in some for step in part])
answers = st.sampled_from([RUN, SKIP, STOP, ALWAYS, Answer(Decision.RUN, "edited")])


@given(st.lists(replies, max_size=4), st.lists(answers, min_size=16, max_size=16), st.booleans())
async def test_replaying_the_chunks_gives_the_messages(
    script: list[list[Step]], given_answers: list[Answer], auto_run: bool
) -> None:
    approval = AutoRun() if auto_run else ListedApproval(given_answers)
    scene = Scene(*script, [], approval=approval, max_rounds=3)

    await scene.turn.answer()

    assert fold(scene.chunks) == scene.turn.messages


def _last_text(scene: Scene) -> str:
    last = scene.turn.messages[-1]
    assert isinstance(last, AssistantMessage)
    return last.message


async def test_a_block_that_fails_in_the_same_way_three_times_ends_the_turn() -> None:
    scene = Scene(*[block("KeyError: 1")] * 4)

    assert await scene.turn.answer() is Status.STOPPED

    assert scene.execution.ran == ["KeyError: 1"] * 3
    assert "same error each time" in _last_text(scene)


async def test_other_blocks_and_other_errors_do_not_end_the_turn() -> None:
    failing = [block(code) for code in ("KeyError: a", "KeyError: b", "KeyError: a", "1")]
    scene = Scene(*failing, *[block("same output")] * 4, said("Done"))

    assert await scene.turn.answer() is Status.DONE
