"""The program among others in a shell: pipes, closed descriptors, exit codes, signals, mistakes."""

import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from oi_daemon import __version__
from tests.fakes.openai_server import ThreadedServer, example, text
from tests.terminal.terminal import COMMAND

ANSWER = "[python]\n34 / 24\n[output]\n1.4166666666666667\nThe result is 1.4166...\n"
DECLINED = "[python]\n34 / 24\n[not run: declined]\n"
HELP = "`interpreter --help` shows all flags. A question that begins with - comes after --.\n"
NO_OUTPUT = "The standard output is closed, so there is no place for the answer.\n"
FULL = "The output cannot be written: No space left on device.\n"


@dataclass(frozen=True)
class Use:
    """A line of a shell, in which `oi` is the program, and what comes of it."""

    line: str
    code: int = 0
    out: str = ""
    """The whole output."""
    error: str = ""
    """What stderr holds; empty if it is empty."""
    asked: str | None = None
    """What the last question to the model holds; None if the model is not asked."""
    replies: str = "example"
    config: str = ""
    """The settings file."""


def wrong(line: str, error: str) -> Use:
    """A mistake in the command line."""
    return Use(line, 2, error=f"interpreter: error: {error}\n{HELP}")


def config(line: str, error: str) -> Use:
    """A mistake in the settings file, in spite of which the question is answered."""
    return Use("oi hi", error=error, asked="hi", out="Hello.\n", replies="hello", config=line)


USES = [
    # input
    Use("oi -y hi", out=ANSWER, asked="hi"),
    Use("echo hi | oi -y", out=ANSWER, asked="hi"),
    Use("oi -y <<< hi", out=ANSWER, asked="hi"),
    Use("echo hi > it; oi -y < it", out=ANSWER, asked="hi"),
    Use(
        "printf 'a\\nb' | oi -y hi", out=ANSWER, asked="hi\n\nThe standard input:\n\n```\na\nb\n```"
    ),
    Use("printf '```\\n' | oi -y hi", out=ANSWER, asked="````\n```\n````"),
    Use("printf '\\0' | oi -y hi", out=ANSWER, asked="It is not text."),
    Use("yes | head -c 99999 | oi -y hi", out=ANSWER, asked="The standard input (99,999 bytes)"),
    Use("printf 'h\\xffi' | oi -y", out=ANSWER, asked="h"),
    Use("true | oi -y hi", out=ANSWER, asked="hi"),
    Use("oi -y hi < /dev/null", out=ANSWER, asked="hi"),
    Use("oi -y hi <&-", out=ANSWER, asked="hi"),
    Use("oi < /dev/null", 2, error="There is no question: the standard input is empty."),
    Use("oi <&-", 2, error="There is no question"),
    Use("oi ''", 2, error="There is no question"),
    Use("echo '  ' | oi", 2, error="There is no question"),
    Use("oi -y -- --help me", out=ANSWER, asked="--help me"),
    Use("oi hi -y there", out=ANSWER, asked="hi there"),
    Use("oi --auto_run 'What is' '34/24?'", out=ANSWER, asked="What is 34/24?"),
    Use("find . -maxdepth 0 | xargs oi -y", out=ANSWER, asked="."),
    Use(
        'for i in 1 2; do oi "$i" < /dev/null; done', out="Hello.\n" * 2, asked="2", replies="hello"
    ),
    Use(
        "printf '1\\n2\\n' | while read -r i; do oi \"$i\" < /dev/null; done | wc -l | tr -d ' '",
        out="2\n",
        asked="2",
        replies="hello",
    ),
    # output
    Use("oi -y hi | cat", out=ANSWER, asked="hi"),
    Use("oi -y hi > it; cat it", out=ANSWER, asked="hi"),
    Use('x=$(oi hi); echo "<$x>"', out="<Hello.>\n", asked="hi", replies="hello"),
    Use("oi hi | tee it | wc -c | tr -d ' '", out="7\n", asked="hi", replies="hello"),
    Use("oi -y hi | grep -c 1.41", out="2\n", asked="hi"),
    Use("oi -y hi | head -n 1", out="[python]\n", asked="hi"),
    Use("set -o pipefail; oi -y hi | true", 141, asked="hi"),
    Use("set -o pipefail; oi --conversations | true", 141),
    Use(
        "set -o pipefail; oi --help | head -n 1", out="usage: interpreter [flags] [question ...]\n"
    ),
    Use("oi hi > /dev/full", 1, error=FULL, asked="hi", replies="hello"),
    Use("oi --version > /dev/full", 1, error=FULL),
    Use("oi hi >&-", 1, error=NO_OUTPUT),
    Use("oi --version >&-", 1, error=NO_OUTPUT),
    Use("oi hi <&- >&- 2>&-", 1),
    Use("oi -y hi 2>&-", out=ANSWER, asked="hi"),
    Use("oi hi 2> /dev/full", 3, out=DECLINED, asked="hi"),
    Use("oi --qqqq 2> /dev/full", 2),
    Use("oi -y hi 2>&1 | cat", out=ANSWER, asked="hi"),
    # without a terminal nobody says yes
    Use("oi hi", 3, out=DECLINED, error="Not run: there is nobody to ask.", asked="hi"),
    Use("echo y | oi hi", 3, out=DECLINED, error="nobody to ask", asked="hi"),
    Use("setsid oi hi < /dev/null", 3, out=DECLINED, error="nobody to ask", asked="hi"),
    Use("NO_COLOR=1 oi -y hi", out=ANSWER, asked="hi"),
    Use("TERM=dumb oi -y hi", out=ANSWER, asked="hi"),
    Use("TERM= oi -y hi", out=ANSWER, asked="hi"),
    Use("unset TERM; oi -y hi", out=ANSWER, asked="hi"),
    Use("TERM=nonsense oi -y hi", out=ANSWER, asked="hi"),
    Use("COLUMNS=10 oi -y hi", out=ANSWER, asked="hi"),
    Use("LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 oi -y hi", out=ANSWER, asked="hi"),
    # the program itself
    Use("oi --version", out=f"interpreter {__version__}\n"),
    Use('oi --config < /dev/null > it; test -f "$(cat it)"'),
    Use("oi --attach nowhere", 1, error="There is no conversation nowhere.\n"),
    Use("mkdir it; cd it; rmdir ../it; oi hi", 1, error="does not exist any more"),
    Use("mkdir it; cd it; rmdir ../it; oi --cwd / -y hi", out=ANSWER, asked="hi"),
    Use("OI_AUTO_RUN=true oi hi", out=ANSWER, asked="hi"),
    Use(
        "OI_AUTO_RUN=yes oi hi",
        3,
        out=DECLINED,
        error="OI_AUTO_RUN: auto_run: expected true or false",
        asked="hi",
    ),
    wrong("oi --qqqq hi", "There is no flag --qqqq."),
    wrong("oi --temprature 1 hi", "There is no flag --temprature. Did you mean --temperature?"),
    wrong("oi --temperature", "--temperature needs a value."),
    wrong("oi --temperature hot hi", "--temperature: expected a number"),
    wrong("oi --model '' hi", "--model: expected text that is not empty"),
    wrong("oi --conversations=1", "--conversations takes no value."),
    wrong("oi --auto_run=yes hi", "--auto_run takes no value."),
    # the settings file
    config("auto_run = yes", "line 1: auto_run: expected true or false, in small letters"),
    config('auto_run = "yes"', "line 1: auto_run: expected true or false"),
    config("model = gpt-4", "line 1: model: not valid TOML"),
    config("temperature = 0,5", "line 1: temperature: expected a number, such as 0.5"),
    config("\nmax_tokens = many", "line 2: max_tokens: expected a whole number"),
]


@pytest.fixture
def environment(environ: dict[str, str], home: Path, tmp_path: Path) -> dict[str, str]:
    """In which `oi` is the program."""
    program = tmp_path / "bin/oi"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {COMMAND} "$@"\n')
    program.chmod(0o700)
    path = f"{program.parent}:{os.environ['PATH']}"
    return {**os.environ, **environ, "HOME": str(home), "PATH": path}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty one."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("use", USES, ids=[use.config or use.line for use in USES])
def test_it_does_in_a_shell_what_programs_do(
    use: Use, environment: dict[str, str], home: Path, server: ThreadedServer, folder: Path
) -> None:
    server.enqueue(*(example() if use.replies == "example" else [text("Hello.")] * 2))
    if use.config:
        settings = home / ".config/oi-daemon/config.toml"
        settings.parent.mkdir(parents=True)
        settings.write_text(f"{use.config}\n")
    done = subprocess.run(
        ["bash", "-c", use.line],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
    )
    assert (done.stdout, done.returncode) == (use.out, use.code), done.stderr
    error = done.stderr.removeprefix("sh: 0: getcwd() failed: No such file or directory\n")
    assert use.error in error
    assert bool(use.error) == bool(error)
    assert "Traceback" not in error
    questions = [
        message["content"]
        for body in server.bodies[-1:]
        for message in body["messages"]
        if message["role"] == "user"
    ]
    assert bool(questions) == (use.asked is not None)
    assert (use.asked or "") in "".join(questions[-1:])


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        (signal.SIGTERM, -signal.SIGTERM),
        (signal.SIGHUP, -signal.SIGHUP),
        (signal.SIGQUIT, -signal.SIGQUIT),
    ],
)
def test_a_signal_ends_it_as_others_and_the_file_of_large_data_is_gone(
    number: int,
    code: int,
    environment: dict[str, str],
    folder: Path,
    server: ThreadedServer,
    tmp_path: Path,
) -> None:
    server.enqueue(text("One", " two.").but(hold_after=1))
    tmp_path.joinpath("tmp").mkdir()
    data = folder / "data"
    data.write_text("1\n" * 50_000)
    with (
        data.open() as stdin,
        subprocess.Popen(
            ["oi", "Count"],
            env=environment | {"TMPDIR": str(tmp_path / "tmp")},
            cwd=folder,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            executable=str(tmp_path / "bin/oi"),
        ) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.read(3) == b"One"
        assert list(tmp_path.glob("tmp/stdin-*"))
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
    assert process.returncode == code
    assert b"Traceback" not in error
    assert not list(tmp_path.glob("tmp/stdin-*"))


def test_what_ignores_the_end_of_its_terminal_goes_on(
    environment: dict[str, str], folder: Path, server: ThreadedServer, tmp_path: Path
) -> None:
    """As with `nohup`."""
    server.enqueue(text("One", " two.").but(hold_after=1))
    with subprocess.Popen(
        ["sh", "-c", "trap '' HUP; exec oi Count"],
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(3) == b"One"
        process.send_signal(signal.SIGHUP)
        server.release()
        assert process.stdout.read() == b" two.\n"
    assert process.returncode == 0
