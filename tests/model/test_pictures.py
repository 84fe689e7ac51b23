"""What a model gets of what code has shown: words, and pictures where it can see."""

import base64
import io
from typing import Any

import pytest
from PIL import Image

from oi_daemon.errors import ModelError
from oi_daemon.messages import CodeMessage, Message, UserMessage
from oi_daemon.messages.usage import Quote, Usage
from oi_daemon.model.local.compact import compact_messages
from oi_daemon.model.pictures import NEWEST, can_see, words
from tests.fakes.openai_server import error, text
from tests.model.asked import Asked


def picture(kind: str = "png", size: tuple[int, int] = (64, 48), shade: int = 0) -> dict[str, Any]:
    file = io.BytesIO()
    Image.new("L", size, shade).save(file, kind)
    data = base64.b64encode(file.getvalue()).decode()
    return {f"image/{kind}": data, "text/plain": "<Figure>"}


def shown(*displays: dict[str, Any], output: str = "<Figure>") -> list[Message]:
    return [UserMessage("Plot"), CodeMessage("python", "plot()", output, displays)]


def url(display: dict[str, Any]) -> str:
    mime = next(mime for mime in display if mime.startswith("image/"))
    return f"data:{mime};base64,{display[mime]}"


def sent(body: dict[str, Any]) -> list[str]:
    """The pictures in a request."""
    contents = [m["content"] for m in body["messages"] if isinstance(m["content"], list)]
    parts = [part for content in contents for part in content]
    return [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]


WORDS = "[picture: image/png, 64x48, shown to the person]"
SEEN = "[picture: image/png, 64x48, shown to the person and, below, to you]"


@pytest.mark.parametrize(
    ("display", "told"),
    [
        (picture(), [WORDS]),
        (picture("jpeg", (300, 20)), ["[picture: image/jpeg, 300x20, shown to the person]"]),
        (picture("gif", (3, 2)), ["[picture: image/gif, 3x2, shown to the person]"]),
        ({"image/svg+xml": "<svg/>"}, ["[picture: image/svg+xml, shown to the person]"]),
        ({"image/png": "no picture"}, ["[picture: image/png, shown to the person]"]),
        ({"text/html": "<b>1</b>"}, ["[page: text/html, shown to the person]"]),
        (
            {"text/html": "<b>1</b>", "text/plain": "<IPython.core.display.HTML object>"},
            ["[page: text/html, shown to the person]"],
        ),
        ({"text/html": "<table/>", "text/plain": "   a\n0  1"}, []),
        ({"application/json": {}, "text/plain": "{}"}, []),
    ],
)
def test_displays_in_words(display: dict[str, Any], told: list[str]) -> None:
    assert words([display], []) == told


def test_models_that_are_known_to_see() -> None:
    for name in (
        *("gpt-4o", "gpt-4o-mini", "gpt-4.1-nano", "gpt-4-turbo", "gpt-5", "gpt-5.1-mini", "o1"),
        *("o3", "o4-mini", "openai/gpt-4o", "claude-sonnet-4-5", "anthropic/claude-3-haiku"),
        *("gemini-2.5-flash", "llava:7b", "qwen2.5-vl:7b", "qwen2.5vl:3b", "Qwen/Qwen2-VL-7B"),
        *("llama3.2-vision", "pixtral-12b", "gemma3:4b", "grok-4", "mistral-small3.1"),
    ):
        assert can_see(name), name
    for name in (
        *("gpt-4", "gpt-4-32k", "gpt-3.5-turbo", "gpt-4-turbo-preview", "o1-mini", "o3-mini"),
        *("claude-2", "llama3.1", "qwen2.5-coder", "deepseek-chat", "mistral", "codellama"),
        *("gpt-oss:20b", "phi3", "gemma:2b", "gemma3:1b", "model.gguf"),
    ):
        assert not can_see(name), name


async def test_a_model_that_cannot_see_gets_words(asked: Asked) -> None:
    asked.server.enqueue(text("Nice."))
    await asked.reply(shown(picture()), model="gpt-4")
    assert asked.body["messages"][-1]["content"] == f"<Figure>\n{WORDS}"
    assert sent(asked.body) == []


async def test_a_model_that_can_see_gets_the_picture_as_well(asked: Asked) -> None:
    asked.server.enqueue(text("Nice."))
    await asked.reply(shown(picture()), model="gpt-4o")
    tool, user = asked.body["messages"][-2:]
    assert (tool["role"], tool["content"]) == ("tool", f"<Figure>\n{SEEN}")
    assert user["role"] == "user"
    assert user["content"][1:] == [{"type": "image_url", "image_url": {"url": url(picture())}}]


async def test_in_markdown_the_picture_stands_with_the_output(asked: Asked) -> None:
    asked.server.enqueue(text("Nice."))
    conversation = [*shown(picture(), output=""), UserMessage("And now?")]
    await asked.reply(conversation, model="gpt-4o", tool_style="markdown")
    *_, user = asked.body["messages"]
    assert user["role"] == "user"
    assert user["content"] == [
        {"type": "text", "text": f"Output:\n{SEEN}"},
        {"type": "image_url", "image_url": {"url": url(picture())}},
        {"type": "text", "text": "And now?"},
    ]


@pytest.mark.parametrize(("vision", "model", "count"), [("on", "gpt-4", 1), ("off", "gpt-4o", 0)])
async def test_the_setting_decides(asked: Asked, vision: str, model: str, count: int) -> None:
    asked.server.enqueue(text("Nice."))
    await asked.reply(shown(picture()), model=model, vision=vision)
    assert len(sent(asked.body)) == count


async def test_only_the_newest_pictures_are_sent(asked: Asked) -> None:
    asked.server.enqueue(text("Nice."))
    pictures = [picture(shade=shade) for shade in range(NEWEST + 2)]
    await asked.reply([m for each in pictures for m in shown(each)], model="gpt-4o")
    assert sent(asked.body) == list(map(url, pictures[2:]))
    tools = [m["content"] for m in asked.body["messages"] if m["role"] == "tool"]
    assert [SEEN in told for told in tools] == [False, False, *[True] * NEWEST]


async def test_what_is_no_picture_or_too_large_is_not_sent(asked: Asked) -> None:
    large = picture()
    large["image/png"] += "A" * (6 << 20)
    asked.server.enqueue(text("Nice."))
    await asked.reply(shown({"image/png": "bm8="}, large), model="gpt-4o")
    assert sent(asked.body) == []


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Invalid content type. image_url is only supported by certain models."),
        (404, "No endpoints found that support image input"),
        (400, "'messages[3].content' must be a string"),
        (422, "unknown variant `image_url`, expected `text`"),
        (500, "image input is not supported - hint: you may need to provide the mmproj"),
    ],
)
async def test_a_server_that_takes_no_pictures_is_sent_none_from_then_on(
    asked: Asked, status: int, message: str
) -> None:
    asked.server.enqueue(error(status, message), text("Nice."), text("Nice."))
    await asked.reply(shown(picture()), model="gpt-4o")
    await asked.reply(shown(picture()), model="gpt-4o")
    assert [len(sent(body)) for body in asked.server.bodies] == [1, 0, 0]
    assert "tools" in asked.body
    assert asked.message == "Nice."


async def test_a_refusal_of_pictures_that_are_wanted_is_told(asked: Asked) -> None:
    asked.server.enqueue(error(400, "This model does not support images."))
    with pytest.raises(ModelError, match="does not support images"):
        await asked.reply(shown(picture()), model="gpt-4o", vision="on")


async def test_a_picture_is_counted_as_one_not_by_its_characters(asked: Asked) -> None:
    asked.server.enqueue(text("Nice.").but(usage=None))
    noise = picture(size=(2000, 2000), shade=7)
    noise["image/png"] += "A" * 400_000
    *parts, usage = await asked.reply(shown(noise), model="gpt-4o", max_budget=1.0, max_tokens=9)
    assert isinstance(usage, Usage)
    assert 1_000 < usage.input_tokens < 2_000
    (quote,) = [part for part in parts if isinstance(part, Quote)]
    assert quote.most is not None
    assert quote.most < 0.01
    assert len(sent(asked.body)) == 1


def test_a_small_model_gets_words() -> None:
    assert compact_messages(shown(picture()))[-1]["content"] == f"Output:\n<Figure>\n{WORDS}"


ASKED: list[Message] = [UserMessage("What is in this?", (picture(),))]
FROM_PERSON = "[picture: image/png, 64x48, from the person: below]"
UNSEEN = "[picture: image/png, 64x48, from the person: you cannot see it]"


@pytest.mark.parametrize("style", ["tools", "markdown"])
async def test_a_picture_of_the_person_stands_with_their_words(asked: Asked, style: str) -> None:
    asked.server.enqueue(text("A line."))
    await asked.reply(ASKED, model="gpt-4o", tool_style=style)
    user = asked.body["messages"][-1]
    assert user["role"] == "user"
    assert user["content"] == [
        {"type": "text", "text": f"What is in this?\n{FROM_PERSON}"},
        {"type": "image_url", "image_url": {"url": url(picture())}},
    ]


async def test_a_model_that_cannot_see_is_told_of_a_picture_of_the_person(asked: Asked) -> None:
    asked.server.enqueue(text("I cannot see it."))
    await asked.reply(ASKED, model="gpt-4")
    assert asked.body["messages"][-1]["content"] == f"What is in this?\n{UNSEEN}"
    assert compact_messages(ASKED)[-1]["content"] == f"What is in this?\n{UNSEEN}"
