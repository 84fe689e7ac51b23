"""The `interpreter` program: flags, pipes, exit codes, settings, first run, saved conversations."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from oi_daemon import __version__
from oi_daemon.settings import NAMES
from tests.fakes.openai_server import ThreadedServer, error, example, text
from tests.measured import MEASURED
from tests.talk import code
from tests.terminal.conftest import Open
from tests.terminal.terminal import COMMAND, CTRL_C, CTRL_D, DELETE, DOWN, ENTER, ESCAPE, UP

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(environ: dict[str, str], home: Path) -> Run:
    """The program without a terminal."""

    def run(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*MEASURED, COMMAND, *arguments],
            input=stdin,
            env={**environ, "HOME": str(home), **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_in_a_pipe_the_answer_is_plain_text(run: Run, server: ThreadedServer) -> None:
    server.enqueue(*example())
    done = run("-y", "--model", "gpt-4", stdin="What's 34/24?\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        *("[python]", "34 / 24", "[output]", "1.4166666666666667", "The result is 1.4166...")
    ]


def test_data_in_a_pipe_beside_a_question_is_part_of_it(run: Run, server: ThreadedServer) -> None:
    server.enqueue(text("6"))
    done = run("Sum", "the column", stdin="a\n1\n5\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "6\n", "")
    asked = server.bodies[-1]["messages"][-1]["content"]
    assert asked == "Sum the column\n\nThe standard input:\n\n```\na\n1\n5\n```"


def test_much_data_in_a_pipe_is_a_file_for_the_code(
    run: Run, server: ThreadedServer, tmp_path: Path
) -> None:
    """It is there while the program runs, private, and of it the model sees how it begins."""
    data = "a\n" + "1234567\n" * 100_000
    reading = (
        "import glob, os, sys, tempfile\n"
        "[name] = glob.glob(tempfile.gettempdir() + '/stdin-*')\n"
        "print(oct(os.stat(name).st_mode & 0o777), len(open(name).read()))"
    )
    server.enqueue(code(reading), text("Done."))
    tmp_path.joinpath("tmp").mkdir()
    done = run("-y", "Sum it", stdin=data, TMPDIR=str(tmp_path / "tmp"))
    assert f"0o600 {len(data)}" in done.stdout
    asked = server.bodies[0]["messages"][-1]["content"]
    assert asked.startswith("Sum it\n\nThe standard input (800,002 bytes) is in the file ")
    assert "It begins:\n\n```\na\n1234567\n" in asked
    assert len(asked) < 1500
    assert not list(tmp_path.joinpath("tmp").glob("stdin-*"))


def test_an_empty_pipe_beside_a_question_adds_nothing(run: Run, server: ThreadedServer) -> None:
    server.enqueue(text("Hello."))
    assert run("Hi").returncode == 0
    assert server.bodies[-1]["messages"][-1]["content"] == "Hi"


def test_with_data_in_a_pipe_the_person_is_asked_at_the_terminal(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue(code("print(34 * 17)"), text("It is 578."))
    asked = terminal("-c", f"echo data | {COMMAND} go", command="/bin/sh")
    asked.wait_for("Run this code?")
    asked.type("y" + ENTER)
    asked.wait_for("It is 578.")


def test_in_a_pipe_without_y_nothing_runs_and_it_is_said_how(
    run: Run, server: ThreadedServer, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    server.enqueue(code(f"open({str(made)!r}, 'w')"))
    done = run(stdin="Make it")
    assert done.returncode == 3
    assert "interpreter -y" in done.stderr
    assert not made.exists()


def test_in_a_pipe_a_model_that_is_gone_is_answered_by_the_list(
    run: Run, server: ThreadedServer
) -> None:
    server.set_models(["gpt-5.4-mini", "gpt-6-sol", "whisper-1"])
    server.enqueue(error(404, "The model `gpt-4` does not exist", code="model_not_found"))
    done = run(stdin="Hi")
    assert done.returncode == 1
    assert "It has: gpt-6-sol, gpt-5.4-mini." in done.stderr


@pytest.mark.parametrize("arguments", ["-y What's 34/24?", "--conversations"])
def test_a_pipe_that_nobody_reads_any_more_ends_it_silently(
    environ: dict[str, str], home: Path, server: ThreadedServer, arguments: str
) -> None:
    server.enqueue(*example())
    done = subprocess.run(
        [
            "bash",
            "-c",
            '"$@" | true; exit ${PIPESTATUS[0]}',
            "-",
            COMMAND,
            *arguments.split(" ", 1),
        ],
        env={**environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (141, "")


def test_an_error_goes_to_stderr_with_its_exit_code(run: Run, server: ThreadedServer) -> None:
    server.enqueue(error(401, "Incorrect API key provided."))
    done = run("Hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert "OPENAI_API_KEY" in done.stderr


def test_a_limit_that_is_reached_is_told_and_has_an_exit_code(
    run: Run, server: ThreadedServer
) -> None:
    server.enqueue(code("1"), code("2"), code("3"))
    done = run("-y", "--max_budget", "0.01", "Count")
    assert done.returncode == 4
    assert "The session has cost $0.0084" in done.stdout


def test_an_empty_input_is_explained(run: Run) -> None:
    done = run()
    assert done.returncode == 2
    assert "There is no question" in done.stderr


def test_every_setting_has_a_flag(run: Run) -> None:
    shown = run("--help").stdout
    for name in NAMES:
        assert f"--{name}" in shown
    for short in ("-s", "-l", "-y", "-d", "-m", "-t", "-c", "-x", "-b", "-ab", "-ak", "-f"):
        assert f"  {short}, --" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_flags_reach_the_request(run: Run, server: ThreadedServer) -> None:
    server.enqueue(text("Hi"))
    done = run("-m", "gpt-4o-mini", "-t", "0.7", "-x", "100", "-s", "Be brief.", "Hi")
    assert done.returncode == 0
    body = server.bodies[0]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("gpt-4o-mini", 0.7, 100)
    assert "Be brief." in body["messages"][0]["content"]


def test_fast_is_a_short_cut(run: Run, server: ThreadedServer) -> None:
    server.enqueue(text("Hi"), text("Hi"))
    run("-f", "Hi")
    run("--fast", "Hi")
    assert [body["model"] for body in server.bodies] == ["gpt-3.5-turbo"] * 2


@pytest.mark.parametrize(
    ("flag", "value", "mistake"),
    [
        ("-t", "hot", "expected a number"),
        ("--max_output", "many", "expected a whole number"),
        ("--sandbox", "some", "expected one of isolated, none, write-protect"),
    ],
)
def test_a_wrong_value_is_explained_under_the_flag_as_it_was_typed(
    run: Run, flag: str, value: str, mistake: str
) -> None:
    done = run(flag, value, "Hi")
    assert done.returncode == 2
    assert f"error: {flag}: {mistake}" in done.stderr
    assert "settings." not in done.stderr


def test_a_wrong_value_in_the_environment_names_the_variable(
    run: Run, environ: dict[str, str], server: ThreadedServer
) -> None:
    environ["OI_MAX_OUTPUT"] = "many"
    server.enqueue(text("Hi"))
    done = run("Hi")
    assert done.returncode == 0
    assert "OI_MAX_OUTPUT: max_output: expected a whole number" in done.stderr


@pytest.mark.parametrize("words", ["exit", "quit"])
def test_a_word_leaves(terminal: Open, server: ThreadedServer, words: str) -> None:
    it = terminal()
    it.wait_for_prompt()
    it.say(words)
    assert it.wait() == 0
    assert server.requests == []


def test_the_end_of_input_leaves_also_when_it_comes_during_a_turn(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue(text("One", " two.").but(hold_after=1))
    it = terminal()
    it.wait_for_prompt()
    it.say("Count")
    it.wait_for("One")
    it.type(CTRL_D)
    server.release()
    assert it.wait() == 0
    assert "One two." in it.text


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"interpreter {__version__}\n"


def test_config_opens_the_settings_file_in_the_editor(
    terminal: Open, environ: dict[str, str], home: Path
) -> None:
    it = terminal("--config", environ=environ | {"EDITOR": "sed -i 1itemperature=9"}, columns=200)
    assert it.wait() == 0
    (config,) = home.rglob("config.toml")
    assert str(config) in it.lines
    assert f"{config}, line 1: temperature" in " ".join(it.lines)


def test_mistakes_in_the_settings_file_are_named_by_line_at_the_start(
    run: Run, server: ThreadedServer, home: Path
) -> None:
    run("--config")
    (config,) = home.rglob("config.toml")
    config.write_text('model = "gpt-4o-mini"\ntemprature = 1\n')
    server.enqueue(text("Hi"))
    done = run("Hi")
    assert "line 2: temprature" in done.stderr
    assert server.bodies[0]["model"] == "gpt-4o-mini"


def test_without_a_key_the_ways_on_are_offered_and_a_key_is_kept(
    terminal: Open, server: ThreadedServer, home: Path
) -> None:
    it = terminal(environ={})
    it.wait_for("Paste a key")
    for way in ("OPENAI_API_KEY", "--local", "--api_base"):
        assert way in it.text
    it.type(ENTER)
    it.wait_for("Key (it is not shown)")
    it.say("sk-pasted-0123456789")
    it.wait_for_prompt()
    assert "sk-pasted" not in it.text
    (config,) = home.rglob("config.toml")
    assert 'api_key = "sk-pasted-0123456789"\n' in config.read_text()
    assert config.stat().st_mode & 0o077 == 0
    it.type(CTRL_D)
    assert it.wait() == 0


def test_another_server_can_be_named_at_the_first_run(
    terminal: Open, server: ThreadedServer
) -> None:
    server.enqueue(text("Hello."))
    it = terminal(environ={})
    it.wait_for("Paste a key")
    it.type(DOWN + DOWN + ENTER)
    it.wait_for("URL")
    it.say(server.url)
    it.wait_for_prompt()
    it.say("Hi")
    it.wait_for("Hello.")


def test_a_saved_conversation_is_chosen_shown_and_gone_on_with(
    terminal: Open, run: Run, server: ThreadedServer
) -> None:
    server.enqueue(text("Paris."), *example(), text("Indeed."))
    run("Capital of France?")
    run("-y", "What's 34/24?")
    it = terminal("--conversations")
    it.wait_for("> Open Folder")
    assert "just now, 2 messages" in it.text
    it.type(DOWN)
    it.wait_for("› Capital of France?")
    it.type(UP + ENTER)
    it.wait_for_prompt()
    assert "> What's 34/24?" in it.text
    assert "The result is 1.4166..." in it.text
    it.say("Really?")
    it.wait_for("Indeed.")
    assert "34/24" in str(server.bodies[-1])


def test_saved_conversations_are_searched_as_one_types(
    terminal: Open, run: Run, server: ThreadedServer
) -> None:
    server.enqueue(text("Paris."), text("Rome."))
    run("Capital of France?")
    run("Capital of Italy?")
    it = terminal("--conversations")
    it.wait_for("Italy")
    it.type("paris")
    it.wait_for(lambda shown: "Italy" not in shown)
    assert "Capital of France?" in it.text
    it.type(ESCAPE)
    assert it.wait() == 0


def test_open_folder_tells_where_conversations_are(
    terminal: Open, run: Run, server: ThreadedServer, home: Path
) -> None:
    it = terminal("--conversations", columns=200)
    it.wait_for("> Open Folder")
    it.type(UP + ENTER)
    assert it.wait() == 0
    assert str(home / ".local/share/oi-daemon/conversations") in it.lines


def test_without_a_terminal_conversations_are_listed(run: Run, server: ThreadedServer) -> None:
    server.enqueue(text("Paris."))
    run("Capital of France?")
    done = run("--conversations")
    folder, entry = done.stdout.splitlines()
    assert Path(folder).is_dir()
    assert "Capital of France?  (just now, 2 messages)" in entry


def test_a_message_that_is_resumed_is_in_the_file_it_came_from(
    terminal: Open, run: Run, server: ThreadedServer, home: Path
) -> None:
    server.enqueue(text("Paris."), text("Rome."))
    run("Capital of France?")
    it = terminal("--conversations")
    it.wait_for("France")
    it.type(ENTER)
    it.wait_for_prompt()
    it.say("And of Italy?")
    it.wait_for("Rome.")
    it.wait_for_prompt()
    it.type(CTRL_C + CTRL_C)
    it.wait()
    (saved,) = home.rglob("conversations/*.json")
    assert len(json.loads(saved.read_text())) == 4


def test_the_latest_conversation_is_gone_on_with_in_a_pipe_and_at_the_prompt(
    terminal: Open, run: Run, server: ThreadedServer
) -> None:
    server.enqueue(text("Paris."), text("Rome."), text("Madrid."))
    run("Capital of France?")
    done = run("--continue", "And of Italy?")
    assert (done.stdout, done.stderr) == ("Rome.\n", "")
    assert "Capital of France?" in str(server.bodies[-1])
    it = terminal("--continue")
    it.wait_for_prompt()
    assert "Rome." in it.text
    it.say("And of Spain?")
    it.wait_for("Madrid.")
    assert "And of Italy?" in str(server.bodies[-1])


def test_a_conversation_is_gone_on_with_by_its_id_or_how_it_begins(
    run: Run, server: ThreadedServer
) -> None:
    server.enqueue(text("Paris."), text("Eight."), text("Rome."))
    run("Capital of France?")
    run("Four and four?")
    listed = run("--conversations").stdout.splitlines()
    france = next(line.split()[0] for line in listed if "France" in line)
    assert run("--resume", france, "And of Italy?").stdout == "Rome.\n"
    assert "Capital of France?" in str(server.bodies[-1])
    several = run("--resume", "", "Hi")
    assert several.returncode == 1
    assert "2 conversations whose ids begin" in several.stderr
    assert "no conversation whose id begins with nowhere" in run("--resume", "nowhere", "Hi").stderr


def test_without_a_saved_conversation_there_is_none_to_go_on_with(run: Run) -> None:
    done = run("--continue", "Hi")
    assert (done.returncode, done.stderr) == (1, "There is no saved conversation yet.\n")


def test_own_instructions_and_those_of_the_folder_are_in_the_system_message_and_named(
    terminal: Open, run: Run, server: ThreadedServer, tmp_path: Path
) -> None:
    (tmp_path / "work/AGENTS.md").write_text("Use tabs.\n")
    server.enqueue(text("Hello."), text("Again."), text("Bare."))
    it = terminal("--custom_instructions", "Answer in French.", columns=200)
    it.wait_for_prompt()
    it.say("Hi")
    it.wait_for("Hello.")
    it.wait_for_prompt()
    it.say("Hi again")
    it.wait_for("Again.")
    assert it.text.count("The model gets the instructions in work/AGENTS.md.") == 1
    system = server.bodies[-1]["messages"][0]["content"]
    assert system.startswith("You are Open Interpreter")
    assert "\n\nAnswer in French.\n\n" in system
    assert system.endswith("AGENTS.md in the current folder says:\n\nUse tabs.")
    done = run("--no-agents_md", "--cwd", str(tmp_path / "work"), "Hi")
    assert (done.stdout, done.stderr) == ("Bare.\n", "")
    assert "Use tabs." not in str(server.bodies[-1])


def test_a_profile_overrides_the_settings_file_and_a_flag_the_profile(
    run: Run, server: ThreadedServer, home: Path
) -> None:
    server.enqueue(*[text("Hi.")] * 3)
    config = home / ".config/oi-daemon/config.toml"
    profiles = config.parent / "profiles"
    profiles.mkdir(parents=True)
    config.write_text('model = "gpt-4o"\ntemperature = 1\n')
    (profiles / "small.toml").write_text('model = "gpt-4o-mini"\ntemperature = hot\n')
    done = run("--profile", "small", "Hi")
    assert server.bodies[-1]["model"] == "gpt-4o-mini"
    assert server.bodies[-1]["temperature"] == 1
    assert f"{profiles / 'small.toml'}, line 2: temperature: expected a number" in done.stderr
    run("--profile", str(profiles / "small.toml"), "-m", "gpt-4.1", "Hi")
    assert server.bodies[-1]["model"] == "gpt-4.1"
    done = run("--profile", "large", "Hi")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no profile large. There are: small.\n"


def test_files_that_are_passed_over_are_named_with_the_reason(
    run: Run, server: ThreadedServer
) -> None:
    server.enqueue(text("Paris."))
    run("Capital of France?")
    folder = Path(run("--conversations").stdout.splitlines()[0])
    (folder / "empty.json").write_text("[]")
    (folder / "torn.json").write_text('[{"role"')
    (folder / "other.json").write_text('{"a": 1}')
    done = run("--conversations")
    assert len(done.stdout.splitlines()) == 2
    assert "Passed over: empty.json holds no messages.\n" in done.stderr
    assert "Passed over: torn.json does not hold a conversation: " in done.stderr
    assert "Passed over: other.json does not hold a conversation: " in done.stderr


def test_same_titles_are_told_apart_and_the_chosen_one_is_previewed_and_deleted(
    terminal: Open, run: Run, server: ThreadedServer, home: Path
) -> None:
    server.enqueue(text("First answer."), text("Second answer."))
    run("Same question?")
    run("Same question?")
    first, second = (line.split()[0] for line in run("--conversations").stdout.splitlines()[1:])
    it = terminal("--conversations", columns=120)
    it.wait_for(f"Same question? · {first}")
    assert f"Same question? · {second}" in it.text
    it.wait_for("model  Second answer.")
    it.type(DOWN)
    it.wait_for("model  First answer.")
    it.type(DELETE)
    it.wait_for("Delete it for good?")
    it.type("x")
    it.wait_for(lambda shown: "Delete it for good?" not in shown)
    it.type(DELETE + DELETE)
    it.wait_for(lambda shown: second not in shown)
    it.wait_for("› Same question?")
    it.type(ESCAPE)
    assert it.wait() == 0
    assert len(list(home.rglob("conversations/*.json"))) == 1


@pytest.mark.parametrize("paste", ["{}", "\x1b[200~{}\x1b[201~", "\x1b[200~{}\n\x1b[201~"])
def test_a_key_that_is_pasted_at_the_menu_is_taken_and_not_shown(
    terminal: Open, home: Path, paste: str
) -> None:
    key = "sk-proj-0123456789abcdefghij"
    it = terminal(environ={})
    it.wait_for("Paste a key")
    it.type(paste.format(key))
    it.wait_for("Use this key")
    it.type(ENTER)
    it.wait_for_prompt()
    assert key.encode() not in it.received
    assert b"0123" not in it.received
    (config,) = home.rglob("config.toml")
    assert f'api_key = "{key}"\n' in config.read_text()
