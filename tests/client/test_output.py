"""Rich output from the code to the person, the history and the model."""

import pytest

from oi_daemon import Interpreter
from oi_daemon.errors import InvalidError
from tests.client.programs import code
from tests.fakes.openai_server import ThreadedServer, reasoning, text

BAR = """\
import sys
for i in range(0, 101, 50):
    sys.stderr.write(f"\\r{i:3}%|{'#' * (i // 10)}")
print("\\n\\x1b[32mgreen\\x1b[0m")
"""
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAAAAAC4HznGAAAAC0lEQVR4nGNggAAAAAgAAbdYc5UAAAAASUVORK5CYII="
PICTURE = f"""\
import base64
class Picture:
    def _repr_png_(self): return base64.b64decode("{PNG}")
    def __repr__(self): return "<picture>"
Picture()
"""


def test_a_progress_bar_moves_for_the_person_and_ends_in_history_and_model(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code(BAR), text("Done."))
    interpreter.auto_run = True
    chunks = list(interpreter.chat("Count", stream=True))
    written = "".join(chunk["output"] for chunk in chunks if "output" in chunk)
    assert written.count("\r") == 3
    assert "\x1b[32mgreen" in written
    assert interpreter.messages[1]["output"] == "100%|##########\n\x1b[32mgreen\x1b[0m"
    told = server.bodies[-1]["messages"][-1]["content"]
    assert told.rstrip() == "100%|##########\ngreen"


def test_a_picture_is_told_in_words_and_kept(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code(PICTURE), text("Nice."))
    interpreter.auto_run = True
    messages = interpreter.chat("Draw", display=False)
    (display,) = messages[1]["displays"]
    assert display == {"image/png": PNG, "text/plain": "<picture>"}
    told = server.bodies[-1]["messages"][-1]["content"]
    assert told == "<picture>\n[picture: image/png, 3x2, shown to the person]"


def test_a_conversation_goes_on_with_its_pictures(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(code(PICTURE), text("Nice."), text("A dot."))
    interpreter.auto_run = True
    messages = interpreter.chat("Draw", display=False)
    with Interpreter(
        api_base=server.url,
        api_key="sk-test-0123456789",
        model="gpt-4o",
        conversation=interpreter.conversation,
    ) as another:
        another.chat("What is it?", display=False)
        assert another.messages[:3] == messages
    contents = [message["content"] for message in server.bodies[-1]["messages"]]
    (parts,) = [content for content in contents if isinstance(content, list)]
    url = f"data:image/png;base64,{PNG}"
    assert parts[-1] == {"type": "image_url", "image_url": {"url": url}}


def test_what_is_too_large_to_be_sent_is_refused_in_words(interpreter: Interpreter) -> None:
    display = {"image/png": "A" * (65 << 20)}
    code = {"role": "assistant", "language": "python", "code": "1", "output": ""}
    interpreter.execute("python", "x = 1")
    with pytest.raises(InvalidError, match="`displays`"):
        interpreter.messages = [{**code, "displays": [display]}]
    assert interpreter.execute("python", "x")[0]["output"] == "1"


def test_thinking_is_passed_on_and_kept_beside_the_messages(
    interpreter: Interpreter, server: ThreadedServer
) -> None:
    server.enqueue(
        reasoning("I run", " it.") + code("print(1)"), reasoning("It is one.") + text("One.")
    )
    chunks = list(interpreter.chat("Hi", stream=True))
    assert [chunk["thinking"] for chunk in chunks if "thinking" in chunk] == [
        *("I run", " it."),
        "It is one.",
    ]
    assert interpreter.last_turn["thinking"] == "I run it.\n\nIt is one."
    assert [set(message) for message in interpreter.messages] == [
        {"role", "message"},
        {"role", "language", "code", "output"},
        {"role", "message"},
    ]
