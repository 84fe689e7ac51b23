"""The library in a real Jupyter kernel, and where nobody can be asked."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel

from oi_daemon import Interpreter
from tests.client.programs import code, environment
from tests.fakes.openai_server import ThreadedServer, text
from tests.patience import PATIENCE

CHAT = "import interpreter\nprint(interpreter.chat('Go')[-1].get('status'))"
UNASKED = "import interpreter\ninterpreter.auto_run = True\ninterpreter.chat('Go')"
TABLE = "import pandas\npandas.DataFrame({'a': [1, 2]})"
PICTURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
PASSWORD = "import getpass\nprint(len(getpass.getpass('Password: ')), input('Name: '))"


class Cell:
    """One execution of a cell: all that it printed, asked and showed."""

    def __init__(self) -> None:
        self.printed = ""
        self.prompts: list[tuple[str, bool]] = []
        """The prompts of the kernel, and whether what is typed there is hidden."""
        self.bundles: dict[str, dict[str, str]] = {}
        """What is shown in the end, by display id, in its order."""
        self.updates = 0
        """How often a display was replaced."""
        self.history: list[dict[str, str]] = []
        """All that was ever shown."""
        self.results: list[dict[str, str]] = []
        self.failed = False
        self.reply: dict[str, Any] = {}

    def take(self, message: dict[str, Any]) -> None:
        """Take in what the kernel published."""
        content = message["content"]
        match message["msg_type"]:
            case "stream":
                self.printed += content["text"]
            case "error":
                self.failed = True
                self.printed += "\n".join(content["traceback"])
            case "execute_result":
                self.results.append(content["data"])
            case "display_data" | "update_display_data" as kind:
                self.updates += kind == "update_display_data"
                self.bundles[content["transient"]["display_id"]] = content["data"]
                self.history.append(content["data"])

    def shown(self, mime: str = "text/plain") -> list[str]:
        """What is shown in the end in one format, from top to bottom, without what is empty."""
        return [it[mime] for it in self.bundles.values() if it.get(mime)]


@pytest.fixture
def kernel(server: ThreadedServer) -> Iterator[BlockingKernelClient]:
    """A client of a kernel that finds the model server. An editor would hang."""
    env = environment(server) | {"EDITOR": "sleep 1000", "VISUAL": "sleep 1000"}
    env.pop("PYTHONWARNINGS")
    manager: KernelManager
    manager, client = start_new_kernel(kernel_name="python3", env=env)
    client.interrupt = manager.interrupt_kernel
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(
    client: BlockingKernelClient,
    source: str,
    *answers: str,
    react: Callable[[Cell], None] = lambda cell: None,
) -> Cell:
    """Execute a cell; these lines are typed where it asks.

    Args:
        react: is called after all that the kernel publishes.
    """
    cell = Cell()
    lines = list(answers)

    def show(message: dict[str, Any]) -> None:
        cell.take(message)
        react(cell)

    def answer(message: dict[str, Any]) -> None:
        content = message["content"]
        cell.prompts.append((content["prompt"], content["password"]))
        react(cell)
        if lines:
            client.input(lines.pop(0))

    cell.reply = client.execute_interactive(
        source,
        allow_stdin=bool(answers),
        timeout=PATIENCE,
        output_hook=show,
        stdin_hook=answer,
    )["content"]
    return cell


def test_without_input_the_answer_is_no_in_words(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(code("print(6 * 7)"))
    cell = run(kernel, CHAT)
    assert cell.printed.count("there is nobody to ask") == 1
    assert "interpreter.auto_run = True" in cell.printed
    assert "declined" in cell.printed
    assert not cell.failed
    assert "42" not in cell.shown()


def test_without_input_there_is_no_interactive_chat_in_words(kernel: BlockingKernelClient) -> None:
    cell = run(kernel, "import interpreter\ninterpreter.chat()")
    assert "cannot ask for input" in cell.printed
    assert not cell.failed


def test_with_input_the_cell_asks_and_never_starts_an_editor(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(code("print(6 * 7)"), text("Done."))
    cell = run(kernel, CHAT, "e", "y")
    assert [prompt for prompt, _ in cell.prompts if "(e)dit" in prompt] == []
    assert "no terminal to open an editor" in cell.printed
    assert cell.shown() == ["print(6 * 7)", "42", "Done."]
    assert run(kernel, "print('alive')").printed == "alive\n"


def test_messages_are_markdown_and_code_is_highlighted_with_its_active_line(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    slow = "import time\nfor n in range(4):\n    print(n)\n    time.sleep(0.2)"
    server.enqueue(text("# Hi\n\n", "It *is*") + code(slow), text("Done."))
    cell = run(kernel, UNASKED)
    assert cell.shown("text/markdown") == ["# Hi\n\nIt *is*", "Done."]
    marked = [it["text/html"] for it in cell.history if "oi-active" in it.get("text/html", "")]
    assert any('data-line="4" class="oi-active"' in html for html in marked)
    [html] = [html for html in cell.shown("text/html") if "data-line" in html]
    assert '<span class="oi-k">import</span> time' in html
    assert '" class="oi-active"' not in html
    assert "0\n1\n2\n3" in cell.shown()
    assert cell.updates > 2
    assert not cell.results
    assert len([it for it in cell.bundles.values() if it["text/plain"] == ""]) <= 1


def test_tables_and_pictures_are_shown_by_their_bundles(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(code(TABLE), code(PICTURE), text("Done."))
    cell = run(kernel, UNASKED)
    assert any("<table" in html for html in cell.shown("text/html"))
    assert len(cell.shown("image/png")) == 1


def test_a_page_cannot_reach_the_notebook(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(code("<script>evil()</script>", "html"), text("Done."))
    cell = run(kernel, UNASKED)
    [page] = [
        html for html in cell.shown("text/html") if "evil" in html and "data-line" not in html
    ]
    assert page.startswith('<iframe sandbox="allow-scripts" srcdoc="&lt;script')


def test_passwords_are_hidden_and_answers_stand_in_their_place(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(code(PASSWORD), text("Done."))
    cell = run(kernel, UNASKED, "secret", "Ada")
    assert cell.prompts == [("Password: ", True), ("Name: ", False)]
    assert "6 Ada" in "\n".join(cell.shown())
    assert "secret" not in cell.printed + "".join(cell.shown())


def test_the_stop_button_ends_the_turn_and_the_kernel_lives(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(code("x = 5\nprint('begun', flush=True)\nimport time; time.sleep(1000)"))
    stopped = False

    def react(cell: Cell) -> None:
        nonlocal stopped
        if "begun" in cell.shown() and not stopped:
            stopped = True
            kernel.interrupt()

    cell = run(kernel, UNASKED, react=react)
    assert cell.printed == "The turn was stopped. What was said and run until then is kept."
    assert "[interrupted]" in cell.shown()
    server.enqueue(code("print(x)"), text("Done."))
    again = run(kernel, "interpreter.chat('Again')\nprint(interpreter.last_turn['status'])")
    assert "5" in again.shown()
    assert "done" in again.printed


@pytest.mark.parametrize("moment", ["the model", "the question"])
def test_the_stop_button_works_while_something_is_waited_for(
    moment: str, kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(
        text("Begun", "late").but(hold_after=1) if moment == "the model" else code("print(7)")
    )
    stopped = False

    def react(cell: Cell) -> None:
        nonlocal stopped
        waits = cell.prompts if moment == "the question" else "Begun" in cell.shown()
        if waits and not stopped:
            stopped = True
            kernel.interrupt()

    cell = run(kernel, "import interpreter\ninterpreter.chat('Go')", "y", react=react)
    assert cell.printed.endswith("The turn was stopped. What was said and run until then is kept.")
    assert "7" not in cell.shown()
    server.enqueue(text("Here."))
    again = run(kernel, "interpreter.chat('Again')")
    assert again.shown() == ["Here."], again.__dict__


def test_an_error_is_words_without_a_traceback(kernel: BlockingKernelClient) -> None:
    cell = run(kernel, "import interpreter\ninterpreter.max_output = 0")
    assert cell.printed == "InvalidError: settings.max_output: expected a whole number >= 1"


def test_a_stream_is_shown_where_that_is_wanted(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(text("Hello!"))
    source = "import interpreter\nfor it in interpreter.chat('Hi', stream=True, display=True): pass"
    cell = run(kernel, source)
    assert cell.shown("text/markdown") == ["Hello!"]


def test_magics_ask_and_run_magic_commands(
    kernel: BlockingKernelClient, server: ThreadedServer
) -> None:
    server.enqueue(text("Hello!"), text("Hi {again}!"))
    assert run(kernel, "%load_ext interpreter").printed == ""
    assert run(kernel, "%%chat\nSay hello\nto {me}").shown() == ["Hello!"]
    assert run(kernel, "%oi And $again").shown() == ["Hi {again}!"]
    asked = run(kernel, "print([it['message'] for it in interpreter.messages[::2]])").printed
    assert asked == "['Say hello\\nto {me}', 'And $again']\n"
    assert "Removed" in run(kernel, "%oi %undo").printed
    assert run(kernel, "print(len(interpreter.messages))").printed == "2\n"
    assert "%undo" in run(kernel, "%oi").printed
    assert "There is no command %nothing" in run(kernel, "%oi %nothing").printed


def test_a_table_of_the_notebook_is_pushed(kernel: BlockingKernelClient) -> None:
    run(kernel, "%load_ext interpreter\nimport pandas\ndf = pandas.DataFrame({'a': [1, 2]})")
    cell = run(kernel, "interpreter.push(df=df)\nprint(interpreter.pull('df.a.sum()'))")
    assert cell.printed == "3\n"


def test_a_test_runner_that_captures_input_gets_a_no(
    interpreter: Interpreter, server: ThreadedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.enqueue(code("print(6 * 7)"))
    messages = interpreter.chat("Go", display=True)
    assert messages[-1].get("status") == "declined"
    assert "there is nobody to ask" in capsys.readouterr().err
