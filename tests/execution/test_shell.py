"""The shell keeps what a person's own keeps."""

import asyncio
import os
import signal

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.messages import InputRequest
from tests.execution.runs import Running, lines, lines_of_outputs, output, result, run

STATE = """\
variable="a b"
array=(1 "2 3")
declare -A map=([k]=v)
export exported=e
alias greet='echo hello'
f() { echo "f $1"; }
mkdir -p sub
cd sub
"""
STATE_SEEN = """\
echo "$variable" "${array[1]}" "${map[k]}"
sh -c 'echo $exported'
greet
f 1
basename "$PWD"
"""
STATE_TOLD = "a b 2 3 v\ne\nhello\nf 1\nsub\n"


async def shell(interpreters: Interpreters, code: str) -> str:
    return await output(interpreters, code, language="shell")


@pytest.mark.parametrize(
    "end", ["", "exit 3", "set -e\nfalse", "set -u\necho $nothing 2>/dev/null"]
)
async def test_state_survives(interpreters: Interpreters, end: str) -> None:
    """Also the block that leaves the shell."""
    await shell(interpreters, f"{STATE}{end}")
    assert await shell(interpreters, STATE_SEEN) == STATE_TOLD
    assert await shell(interpreters, STATE_SEEN) == STATE_TOLD


async def test_a_trap_on_exit_is_run_where_a_block_leaves_the_shell(
    interpreters: Interpreters,
) -> None:
    code = f"{STATE}trap 'echo left with $?; exit 9' EXIT\n"
    assert await shell(interpreters, code) == ""
    assert await shell(interpreters, "trap - INT; (exit 4)") == ""
    assert await shell(interpreters, "exit 3") == "left with 3\n"
    assert await shell(interpreters, f"{STATE_SEEN}exit 3") == STATE_TOLD


@pytest.mark.parametrize("signal", ["SEGV", "ABRT"])
async def test_a_crash_is_told_and_survived(interpreters: Interpreters, signal: str) -> None:
    code = f"{STATE}trap 'echo left' EXIT\nkill -{signal} $$\necho no"
    told = f"[The shell was killed (SIG{signal}). Its variables are kept.]\n"
    assert await shell(interpreters, code) == f"{told}left\n"
    assert await shell(interpreters, STATE_SEEN) == STATE_TOLD


async def test_a_crash_of_a_command_is_bash_s_to_tell(interpreters: Interpreters) -> None:
    told = await shell(interpreters, "sh -c 'kill -SEGV $$'\n(kill -SEGV $BASHPID)\necho $?")
    assert "[The shell" not in told
    assert told.endswith("139\n")


async def test_a_trap_that_was_taken_back_is_not_run(interpreters: Interpreters) -> None:
    code = "trap 'echo no' EXIT\n(trap 'echo inner' EXIT)\ntrap - EXIT\nexit"
    assert await shell(interpreters, code) == "inner\n"


async def test_lines_are_right_in_case_and_nested_functions(interpreters: Interpreters) -> None:
    code = (
        "f() {\n"
        "  case $1 in\n"
        "    a)\n"
        "      echo a\n"
        "      ;;\n"
        "    *) echo other ;;\n"
        "  esac\n"
        "}\n"
        "g() {\n"
        "  f b\n"
        "  (echo sub)\n"
        "}\n"
        "f a\n"
        "g\n"
        "x=1; if [ $x = 1 ]\n"
        "then\n"
        "  while read -r line; do\n"
        '    echo "$line"\n'
        "  done <<< here\n"
        "fi\n"
    )
    told = lines_of_outputs(await run(interpreters, code, language="shell"))
    assert told == [(4, "a"), (6, "other"), (11, "sub"), (18, "here")]


async def test_read_asks_with_its_prompt(interpreters: Interpreters) -> None:
    code = 'n=you\nread -r -p "Who, \\"$n\\"? " x\nread -sp \'Password: \' y\necho $x $y'
    chunks = await run(interpreters, code, language="shell", answers=["né", "secret"])
    asked = [(c.prompt, c.password) for c in chunks if isinstance(c, InputRequest)]
    assert asked == [('Who, "you"? ', False), ("Password: ", True)]
    assert lines_of_outputs(chunks) == [(4, "né secret")]


async def test_a_read_of_one_character_leaves_nothing_for_the_next(
    interpreters: Interpreters,
) -> None:
    code = "read -n 1 -p 'Sure? ' a\nread b\nread -rn1 c\nread d\necho $a $b $c $d"
    answers = ["yes", "né", "xyz"]
    assert await output(interpreters, code, language="shell", answers=answers) == "y né x yz\n"


async def test_a_read_of_something_else_does_not_ask(interpreters: Interpreters) -> None:
    code = "echo a | while read -p '? ' x; do\n  echo $x\ndone\nread -p '? ' x <<< b\necho $x"
    assert await shell(interpreters, code) == "a\nb\n"


async def test_a_trace_is_of_the_block_alone(interpreters: Interpreters) -> None:
    told = await shell(interpreters, "set -x\necho a\nfalse")
    assert told == "+ echo a\na\n+ false\n"
    assert await shell(interpreters, "set -ex\nfalse") == "+ false\n"
    assert await shell(interpreters, "echo b") == "b\n"


async def test_exit_ends_the_block(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, "echo a\nexit 1\necho b", language="shell")
    assert lines_of_outputs(chunks) == [(1, "a")]
    assert lines(chunks) == [1, 2]


async def test_a_subshell_may_exit(interpreters: Interpreters) -> None:
    assert await shell(interpreters, "(exit 3)\necho $?\necho $(exit 4; echo no)\ntrue") == "3\n\n"


async def test_a_command_without_a_match_is_no_news(interpreters: Interpreters) -> None:
    assert await shell(interpreters, "echo a | grep b") == ""


async def test_lines_are_right_in_every_construct(interpreters: Interpreters) -> None:
    code = (
        "f() {\n"
        "  echo f\n"
        "}\n"
        "for i in 1 2; do\n"
        "  echo $i\n"
        "  f\n"
        "done\n"
        "cat <<END\n"
        "here\n"
        "END\n"
        "if true; then\n"
        '  echo "two\n'
        'lines" | cat\n'
        "fi\n"
        "echo $_ >&2\n"
    )
    told = lines_of_outputs(await run(interpreters, code, language="shell"))
    assert told[:5] == [(5, "1"), (2, "f"), (5, "2"), (2, "f"), (8, "here")]
    assert [word for _, word in told] == ["1", "f", "2", "f", "here", "two", "lines", "true"]


async def test_a_function_of_an_earlier_block_runs_at_the_line_that_calls_it(
    interpreters: Interpreters,
) -> None:
    await shell(interpreters, "\n\nf() {\n  echo f\n}")
    assert lines_of_outputs(await run(interpreters, "\nf", language="shell")) == [(2, "f")]


async def test_the_last_argument_is_the_user_s(interpreters: Interpreters) -> None:
    assert await shell(interpreters, "echo a b\necho $_") == "a b\nb\n"


async def test_a_hot_loop_goes_on_without_marks(interpreters: Interpreters) -> None:
    code = "i=0\nwhile ((i < 30000)); do\n  ((i++))\ndone\necho $i"
    chunks = await run(interpreters, code, language="shell")
    assert len(lines(chunks)) < 5_001
    assert await shell(interpreters, "echo a\necho $i") == "a\n30000\n"


async def test_what_is_no_program_is_told_with_its_line(interpreters: Interpreters) -> None:
    assert "line 2: no-such-command: command not found" in await shell(
        interpreters, "true\nno-such-command"
    )


async def test_a_syntax_error_is_told(interpreters: Interpreters) -> None:
    assert "syntax error" in await shell(interpreters, "echo a; fi")
    assert "unexpected EOF" in await shell(interpreters, "echo 'a")
    assert await shell(interpreters, "echo on") == "on\n"


async def test_redirections_hold_for_their_block(interpreters: Interpreters) -> None:
    await shell(interpreters, "exec </dev/null")
    assert await output(interpreters, "read x; echo $x", language="shell", answers=["a"]) == "a\n"
    await shell(interpreters, "exec >file 2>&1\necho into the file")
    assert await shell(interpreters, "cat file") == "into the file\n"


async def test_options_do_not_outlive_their_block(interpreters: Interpreters) -> None:
    await shell(interpreters, "set -x; set -u; set -f")
    assert await shell(interpreters, "echo ${nothing}a") == "a\n"


async def test_it_uses_the_python_that_runs_python(
    interpreters: Interpreters, workplace: Workplace
) -> None:
    which = "import shutil\nprint(shutil.which('python'))"
    assert await shell(interpreters, "command -v python") == await output(interpreters, which)


async def test_children_have_no_descriptors_of_ours_but_the_output(
    interpreters: Interpreters,
) -> None:
    """Nothing but what bash itself needs stays open in them."""
    told = await shell(interpreters, "ls -l /proc/self/fd | grep -c socket")
    assert int(told) <= 1


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("true", 0),
        ("(exit 7)", 7),
        ("exit 3", 3),
        ("set -e\nfalse\ntrue", 1),
        ("nosuchcommand", 127),
        ("f() { return 4; }; f", 4),
        ("kill -SEGV $$", 139),
    ],
)
async def test_the_end_tells_the_exit_status(
    interpreters: Interpreters, code: str, status: int
) -> None:
    ended = result(await run(interpreters, code, language="shell"))
    assert (ended.exit, ended.status) == (status, "error" if status else "ok")


@pytest.mark.parametrize(
    "code", ["for i in {1..100000}; do j=$i; done", "while :; do :; done", ":"]
)
async def test_signals_that_come_while_the_interrupted_block_is_left_harm_nothing(
    interpreters: Interpreters, code: str
) -> None:
    pid = int(await shell(interpreters, "x=5; echo $$"))
    for _ in range(5):
        block = Running(interpreters, code, "shell")
        interpreters.interrupt()
        while not block.ended:
            os.killpg(pid, signal.SIGINT)
            await asyncio.sleep(0.001)
        assert await shell(interpreters, "echo $x") == "5\n"
