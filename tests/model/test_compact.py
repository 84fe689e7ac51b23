import subprocess
import sys
from pathlib import Path

from oi_daemon.messages import AssistantMessage, CodeMessage, Message, UserMessage
from oi_daemon.model.environment import PythonFacts
from oi_daemon.model.local.compact import (
    CODE_GRAMMAR,
    COMPACT_SYSTEM_MESSAGE,
    RETRY_TEMPERATURE,
    WORKED_EXAMPLE,
    compact_messages,
    compact_parameters,
    has_run,
)
from oi_daemon.settings import DEFAULT_SYSTEM_MESSAGE

PREFIX = len(compact_messages([]))
FAILED = CodeMessage("python", "import x", "Traceback ...\nModuleNotFoundError: No module 'x'")


def test_begins_with_the_short_prompt_and_two_examples() -> None:
    system, *example = compact_messages([])
    assert system == {"role": "system", "content": COMPACT_SYSTEM_MESSAGE}
    assert [message["role"] for message in example] == ["user", "assistant"] * 4
    blocks = [m["content"] for m in example if m["content"].startswith("```")]
    assert all(block.startswith("```python\n# Wanted: ") for block in blocks)
    assert example[-1]["content"] == WORKED_EXAMPLE[-1].message  # type: ignore[union-attr]


def test_code_is_a_fence_and_its_output_comes_from_the_user() -> None:
    assert compact_messages([UserMessage("go"), CodeMessage("python", "1 + 1", "2")])[PREFIX:] == [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": "```python\n1 + 1\n```"},
        {"role": "user", "content": "Output:\n2"},
    ]


def test_what_one_role_says_in_a_row_is_joined() -> None:
    said = compact_messages(
        [
            UserMessage("go"),
            AssistantMessage("I add."),
            CodeMessage("python", "1 + 1", ""),
            UserMessage("and?"),
        ]
    )[PREFIX:]
    assert [message["role"] for message in said] == ["user", "assistant", "user"]
    assert said[1]["content"] == "I add.\n\n```python\n1 + 1\n```"
    assert said[2]["content"] == "Output:\n(none)\n\nand?"


def test_a_declined_block_is_said_to_be_so() -> None:
    assert "declined" in compact_messages([CodeMessage("python", "1 + 1")])[-1]["content"]


def test_what_the_user_adds_to_the_system_message_arrives() -> None:
    system = compact_messages([], DEFAULT_SYSTEM_MESSAGE + "\nSpeak French.")[0]["content"]
    assert system == COMPACT_SYSTEM_MESSAGE + "\nSpeak French."
    assert compact_messages([], "Mine.")[0]["content"] == "Mine."


def test_a_failure_is_followed_by_advice_and_the_fourth_in_a_row_by_an_end() -> None:
    said = compact_messages([UserMessage("go"), *[FAILED] * 4])[PREFIX:]
    advised = ["Correct the code" in message["content"] for message in said[2::2]]
    assert advised == [True, True, True, False]
    assert "no more code" in said[-1]["content"]


def test_the_examples_do_what_they_say(tmp_path: Path) -> None:
    (tmp_path / "plants.txt").write_text("plant;height\nfern;1,5\noak;20,0\n")
    for block in WORKED_EXAMPLE:
        if isinstance(block, CodeMessage):
            done = subprocess.run(
                [sys.executable, "-c", block.code],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=True,
            )
            assert done.stdout.strip() == block.output


def test_how_long_a_block_took_is_not_told() -> None:
    slow = CodeMessage("python", "1 + 1", "2", seconds=10.4)
    assert compact_messages([UserMessage("go"), slow])[-1]["content"] == "Output:\n2"


def test_what_differs_in_comments_alone_is_the_same_code() -> None:
    failed = CodeMessage("python", "# One.\nopen('x')\n", "FileNotFoundError: x")
    messages: list[Message] = [UserMessage("go"), failed]
    assert has_run("\n# Two.\nopen('x')", messages)
    assert not has_run("open('y')  # Two.", messages)
    said = compact_messages([*messages, CodeMessage("python", "# Two.\nopen('x')")])
    assert "not run again" in said[-1]["content"]


def test_after_a_failure_only_code_can_be_written() -> None:
    assert compact_parameters([UserMessage("go")]) == {}
    assert compact_parameters([UserMessage("go"), CodeMessage("python", "1", "1")]) == {}
    assert compact_parameters([UserMessage("go"), FAILED]) == {"grammar": CODE_GRAMMAR}
    assert compact_parameters([UserMessage("go"), *[FAILED] * 4]) == {}


def test_of_a_traceback_only_the_lines_of_the_block_are_shown() -> None:
    frames = '  File "/lib/frame.py", line 1, in get\n    raise KeyError\n' * 5
    own = '  File "<block 1>", line 4, in <module>\n    df["x"]\n'
    output = f"read\nTraceback (most recent call last):\n{own}{frames}KeyError: 'x'"
    (*_, shown) = compact_messages([UserMessage("go"), CodeMessage("python", "df['x']", output)])
    assert "frame.py" not in shown["content"]
    for part in ("read\n", '<block 1>", line 4', 'df["x"]', "KeyError: 'x'"):
        assert part in shown["content"]


def test_a_block_that_was_not_run_again_is_answered_by_the_folder() -> None:
    again = CodeMessage("python", FAILED.code)
    messages: list[Message] = [UserMessage("go"), FAILED, again]
    said = compact_messages(messages, facts="Files: a.csv")
    assert "not run again" in said[-1]["content"]
    assert "a.csv" in said[-1]["content"]
    assert compact_parameters(messages) == {
        "grammar": CODE_GRAMMAR,
        "temperature": RETRY_TEMPERATURE,
    }


def test_the_folder_stands_before_the_latest_question() -> None:
    messages: list[Message] = [UserMessage("one"), AssistantMessage("yes"), UserMessage("two")]
    said = compact_messages(messages, facts="Files: a.csv")[PREFIX:]
    assert [message["content"] for message in said] == ["one", "yes", "Files: a.csv\n\ntwo"]


def test_what_is_installed_is_told() -> None:
    def told(*installed: str) -> str:
        return str(compact_messages([], python=PythonFacts("3.12", installed))[0]["content"])

    assert "no pandas" in told()
    assert "Installed: numpy, requests, not pandas and pillow." in told("numpy", "requests")
    assert "not pandas" not in told("pandas", "pillow")


def test_output_that_tells_of_errors_is_no_failure() -> None:
    log = CodeMessage("python", "print(log)", "ValueError: yesterday\nall is well today")
    assert "Correct the code" not in compact_messages([log])[-1]["content"]
