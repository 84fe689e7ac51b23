from oi_daemon.messages import AssistantMessage, CodeMessage, UserMessage
from oi_daemon.model.local.compact import COMPACT_SYSTEM_MESSAGE, WORKED_EXAMPLE, compact_messages
from oi_daemon.settings import DEFAULT_SYSTEM_MESSAGE

PREFIX = len(compact_messages([]))


def test_begins_with_the_short_prompt_and_one_example() -> None:
    system, *example = compact_messages([])
    assert system == {"role": "system", "content": COMPACT_SYSTEM_MESSAGE}
    assert [message["role"] for message in example] == ["user", "assistant"] * 2
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


def test_a_failure_is_followed_by_advice_and_the_third_in_a_row_by_an_end() -> None:
    failed = CodeMessage("python", "import x", "Traceback ...\nModuleNotFoundError: No module 'x'")
    said = compact_messages([UserMessage("go"), failed, failed, failed])[PREFIX:]
    assert ["another way" in message["content"] for message in said[2::2]] == [True, True, False]
    assert "no more code" in said[-1]["content"]


def test_output_that_tells_of_errors_is_no_failure() -> None:
    log = CodeMessage("python", "print(log)", "ValueError: yesterday\nall is well today")
    assert "another way" not in compact_messages([log])[-1]["content"]
