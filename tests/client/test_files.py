"""Files that go with a person's words."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from oi_daemon import AsyncInterpreter, Interpreter, InvalidError
from oi_daemon.terminal.attached_files import MOST_TEXT
from tests.fakes.openai_server import ThreadedServer, text


def picture(path: Path, kind: str = "png") -> str:
    """Save a picture; returns the URL under which a model gets it."""
    data = io.BytesIO()
    Image.new("L", (4, 2)).save(data, kind)
    path.write_bytes(data.getvalue())
    return f"data:image/{kind};base64,{base64.b64encode(data.getvalue()).decode()}"


def asked(server: ThreadedServer) -> list[dict[str, object]] | str:
    """The content of the latest message that the model got."""
    content: list[dict[str, object]] | str = server.requests[-1].body["messages"][-1]["content"]
    return content


def test_a_picture_is_seen_kept_and_seen_again(
    interpreter: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    interpreter.model = "gpt-4o"
    url = picture(tmp_path / "cat.png")
    server.enqueue(text("A cat."), text("Black."), text("Still black."))
    interpreter.chat("What is in this?", display=False, files=[tmp_path / "cat.png"])
    content = asked(server)
    assert isinstance(content, list)
    words, shown = content
    assert str(words["text"]).startswith("What is in this?\n\n[The person has attached a picture.")
    assert shown == {"type": "image_url", "image_url": {"url": url}}
    [question, _] = interpreter.messages
    assert question["displays"] == [{"image/png": url.partition(",")[2]}]

    interpreter.chat("Which colour?", display=False)
    assert url in str(server.requests[-1].body["messages"])
    with Interpreter(
        conversation=interpreter.conversation, api_base=server.url, api_key="sk-test-key-0123456789"
    ) as again:
        interpreter.close()
        again.model = "gpt-4o"
        again.chat("Really?", display=False)
        assert url in str(server.requests[-1].body["messages"])
        assert again.messages[0] == question


def test_text_is_given_and_other_files_are_named(
    interpreter: Interpreter, server: ThreadedServer, tmp_path: Path
) -> None:
    (tmp_path / "data.csv").write_text("a,b\n1,```\n")
    (tmp_path / "long.txt").write_text("x" * (MOST_TEXT + 1))
    (tmp_path / "book.xlsx").write_bytes(b"PK\0\1")
    server.enqueue(text("Fine."))
    files = [str(tmp_path / name) for name in ("data.csv", "long.txt", "book.xlsx")]
    interpreter.chat("Read them", display=False, files=files)
    content = asked(server)
    assert f"attached the file `{tmp_path}/data.csv`:]\n````\na,b\n1,```\n\n````" in content
    assert f"attached the file `{tmp_path}/long.txt` (50 kB). Read it by code.]" in content
    assert f"attached the file `{tmp_path}/book.xlsx` (4 bytes). Read it by code.]" in content


async def test_the_object_for_asyncio_and_streams_take_files_too(
    server: ThreadedServer, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("content of a")
    server.enqueue(text("Fine."), text("Fine."))
    settings = {"api_base": server.url, "api_key": "sk-test-key-0123456789"}
    async with AsyncInterpreter(**settings) as interpreter:  # type: ignore[arg-type]
        await interpreter.chat("Read", files=[tmp_path / "a.txt"])
        assert "content of a" in str(server.requests[-1].body)
        chunks = interpreter.chat("Read", files=[tmp_path / "a.txt"], stream=True)
        assert [chunk async for chunk in chunks] == [{"message": "Fine."}]
        assert str(server.requests[-1].body["messages"]).count("content of a") == 2


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["/nowhere/at/all"], "files\\[0\\]: /nowhere/at/all cannot be read: No such file"),
        (["/"], "Is a directory"),
        ("data.csv", "expected a list of paths"),
        (3, "expected a list of paths"),
        ([3], "files\\[0\\]: expected a path, not int"),
    ],
)
def test_what_is_no_file_is_refused_before_anything_is_asked(
    files: list[str], words: str, interpreter: Interpreter, server: ThreadedServer
) -> None:
    with pytest.raises(InvalidError, match=words):
        interpreter.chat("Read", display=False, files=files)
    assert server.requests == []
    assert interpreter.messages == []


def test_files_need_a_message(interpreter: Interpreter, tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="message"):
        interpreter.chat(files=[tmp_path])
