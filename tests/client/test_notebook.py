"""The library where nobody can be asked, and in a real Jupyter kernel."""

from collections.abc import Iterator

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from oi_daemon import Interpreter
from tests.client.programs import code, environment
from tests.fakes.openai_server import ThreadedServer, text

CHAT = "import interpreter\nprint(interpreter.chat('Go')[-1].get('status'))"


@pytest.fixture
def kernel(server: ThreadedServer) -> Iterator[BlockingKernelClient]:
    """A client of a kernel that finds the model server; `vi` is the editor, and would hang."""
    env = environment(server) | {"EDITOR": "sleep 1000"}
    env.pop("PYTHONWARNINGS")
    manager: KernelManager
    manager, client = start_new_kernel(kernel_name="python3", env=env)
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client: BlockingKernelClient, source: str, *answers: str) -> str:
    """What a cell prints; these lines are typed where it asks."""
    printed: list[str] = []
    lines = list(answers)

    def show(message: dict[str, dict[str, str]]) -> None:
        content = message["content"]
        printed.append(content.get("text", "") or "\n".join(content.get("traceback", "")))

    def answer(message: dict[str, dict[str, str]]) -> None:
        printed.append(content_prompt := message["content"]["prompt"])
        assert content_prompt
        client.input(lines.pop(0))

    client.execute_interactive(
        source,
        allow_stdin=bool(answers),
        timeout=60,
        output_hook=show,
        stdin_hook=answer,
    )
    return "".join(printed)


def test_without_input_the_answer_is_no_in_words(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(code("print(6 * 7)"))
    printed = run(kernel, CHAT)
    assert printed.count("there is nobody to ask") == 1
    assert "interpreter.auto_run = True" in printed
    assert "declined" in printed
    assert "Traceback" not in printed
    assert "\n42" not in printed


def test_with_input_the_cell_asks_and_never_starts_an_editor(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    printed = run(kernel, CHAT, "e", "y")
    assert "(e)dit" not in printed
    assert "no terminal to open an editor" in printed
    assert "\n42" in printed
    assert run(kernel, "print('alive')") == "alive\n"


def test_a_test_runner_that_captures_input_gets_a_no(
    interpreter: Interpreter, server: ThreadedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.enqueue(code("print(6 * 7)"))
    messages = interpreter.chat("Go", display=True)
    assert messages[-1].get("status") == "declined"
    assert "there is nobody to ask" in capsys.readouterr().err
