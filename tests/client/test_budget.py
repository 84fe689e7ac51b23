"""Money: counted as the server counts, refused before it is spent, never silently nothing."""

import pytest

from oi_daemon import Interpreter
from tests.client.programs import code
from tests.fakes.openai_server import ThreadedServer, text

CENT = 0.01
REQUEST = 100 * 30e-6 + 20 * 60e-6
"""What the scripted server says that each request used, at the prices of gpt-4."""


def last(interpreter: Interpreter, message: str = "Hi") -> str:
    said: str = interpreter.chat(message, display=False)[-1]["message"]
    return said


def test_a_budget_of_a_cent_ends_where_arithmetic_says_with_the_sum_in_the_message(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(*[text("Hello")] * 9)
    interpreter.max_budget = CENT
    said = [last(interpreter) for _ in range(3)]
    assert said[:2] == ["Hello"] * 2
    assert "$0.0084" in said[2]
    assert "$0.01." in said[2]
    assert len(server.bodies) == 2
    assert interpreter.last_turn["status"] == "budget"
    interpreter.max_budget = 0.03
    assert last(interpreter) == "Hello"
    assert interpreter.last_turn == {
        "status": "done",
        "usage": {"input_tokens": 100, "output_tokens": 20, "cost": pytest.approx(REQUEST)},
    }


def test_a_turn_that_runs_code_is_not_asked_on_over_the_budget(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(*[code("1")] * 9)
    interpreter.max_budget = CENT
    interpreter.auto_run = True
    assert "$0.0084" in last(interpreter)
    assert len(server.bodies) == 2


def test_a_request_that_may_cost_more_than_is_left_is_not_sent(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("Hello"), text("Hello"))
    interpreter.max_budget = CENT
    interpreter.max_tokens = 1000  # 6 cents
    assert "lower max_tokens" in last(interpreter)
    assert server.bodies == []
    interpreter.max_tokens = 20  # 0.12 cents
    assert last(interpreter) == "Hello"
    interpreter.max_tokens = 100  # 0.6 cents
    assert "$0.0042" in last(interpreter)
    assert len(server.bodies) == 1


def test_a_limit_that_is_set_during_a_turn_holds_for_the_input_of_the_next_request(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code("1"), text("never asked"))
    for chunk in interpreter.chat("Hi", stream=True):
        if "executing" in chunk:
            interpreter.max_budget = REQUEST + 0.0001
    assert "input of the next request alone costs" in interpreter.messages[-1]["message"]
    assert len(server.bodies) == 1
    assert interpreter.last_turn["status"] == "budget"


def test_the_sum_outlives_a_reset_and_the_daemon(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(*[text("Hello")] * 3)
    interpreter.max_budget = 1.5 * CENT
    last(interpreter)
    interpreter.reset()
    last(interpreter)
    interpreter.close()
    last(interpreter)
    assert interpreter.usage == {
        "input_tokens": 300,
        "output_tokens": 60,
        "cost": pytest.approx(3 * REQUEST),
        "unpriced": 0,
    }
    assert "$0.0126" in last(interpreter)


def test_a_model_whose_price_is_not_known_is_asked_only_after_a_yes(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("Hello"))
    interpreter.model = "some-model-of-mine"
    interpreter.max_budget = CENT
    assert "price of some-model-of-mine is not known" in last(interpreter)
    assert server.bodies == []
    for chunk in interpreter.chat("Hi", stream=True):
        if "input" in chunk:
            assert "price of some-model-of-mine is not known" in chunk["input"]["prompt"]
            interpreter.input("y")
    assert interpreter.messages[-1]["message"] == "Hello"
    assert interpreter.usage["unpriced"] == 1


def test_a_reply_that_was_interrupted_is_counted_about(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(text("word " * 100, "more").but(hold_after=1))
    stream = interpreter.chat("Hi", stream=True)
    next(stream)
    stream.close()
    usage = interpreter.usage
    assert 100 <= usage["input_tokens"] <= 1000
    assert 100 <= usage["output_tokens"] <= 150
    assert usage["cost"] == pytest.approx(
        usage["input_tokens"] * 30e-6 + usage["output_tokens"] * 60e-6
    )
