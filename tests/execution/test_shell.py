"""The shell keeps what a person's own keeps."""

import pytest

from oi_daemon.execution import Execution, Workplace
from oi_daemon.messages import InputRequest
from tests.execution.runs import lines, lines_of_outputs, output, run

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


async def shell(execution: Execution, code: str) -> str:
    return await output(execution, code, language="shell")


@pytest.mark.parametrize(
    "end", ["", "exit 3", "set -e\nfalse", "set -u\necho $nothing 2>/dev/null"]
)
async def test_state_survives(execution: Execution, end: str) -> None:
    """Also the block that leaves the shell."""
    await shell(execution, f"{STATE}{end}")
    assert await shell(execution, STATE_SEEN) == STATE_TOLD
    assert await shell(execution, STATE_SEEN) == STATE_TOLD


async def test_a_trap_on_exit_is_run_where_a_block_leaves_the_shell(execution: Execution) -> None:
    code = f"{STATE}trap 'echo left with $?; exit 9' EXIT\n"
    assert await shell(execution, code) == ""
    assert await shell(execution, "trap - INT; (exit 4)") == ""
    assert await shell(execution, "exit 3") == "left with 3\n"
    assert await shell(execution, f"{STATE_SEEN}exit 3") == STATE_TOLD


@pytest.mark.parametrize("signal", ["SEGV", "ABRT"])
async def test_a_crash_is_told_and_survived(execution: Execution, signal: str) -> None:
    code = f"{STATE}trap 'echo left' EXIT\nkill -{signal} $$\necho no"
    told = f"[The shell was killed (SIG{signal}). Its variables are kept.]\n"
    assert await shell(execution, code) == f"{told}left\n"
    assert await shell(execution, STATE_SEEN) == STATE_TOLD


async def test_a_crash_of_a_command_is_bash_s_to_tell(execution: Execution) -> None:
    told = await shell(execution, "sh -c 'kill -SEGV $$'\n(kill -SEGV $BASHPID)\necho $?")
    assert "[The shell" not in told
    assert told.endswith("139\n")


async def test_a_trap_that_was_taken_back_is_not_run(execution: Execution) -> None:
    code = "trap 'echo no' EXIT\n(trap 'echo inner' EXIT)\ntrap - EXIT\nexit"
    assert await shell(execution, code) == "inner\n"


async def test_lines_are_right_in_case_and_nested_functions(execution: Execution) -> None:
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
    told = lines_of_outputs(await run(execution, code, language="shell"))
    assert told == [(4, "a"), (6, "other"), (11, "sub"), (18, "here")]


async def test_read_asks_with_its_prompt(execution: Execution) -> None:
    code = 'n=you\nread -r -p "Who, \\"$n\\"? " x\nread -sp \'Password: \' y\necho $x $y'
    chunks = await run(execution, code, language="shell", answers=["né", "secret"])
    asked = [(c.prompt, c.password) for c in chunks if isinstance(c, InputRequest)]
    assert asked == [('Who, "you"? ', False), ("Password: ", True)]
    assert lines_of_outputs(chunks) == [(4, "né secret")]


async def test_a_read_of_one_character_leaves_nothing_for_the_next(execution: Execution) -> None:
    code = "read -n 1 -p 'Sure? ' a\nread b\nread -rn1 c\nread d\necho $a $b $c $d"
    answers = ["yes", "né", "xyz"]
    assert await output(execution, code, language="shell", answers=answers) == "y né x yz\n"


async def test_a_read_of_something_else_does_not_ask(execution: Execution) -> None:
    code = "echo a | while read -p '? ' x; do\n  echo $x\ndone\nread -p '? ' x <<< b\necho $x"
    assert await shell(execution, code) == "a\nb\n"


async def test_a_trace_is_of_the_block_alone(execution: Execution) -> None:
    told = await shell(execution, "set -x\necho a\nfalse")
    assert told == "++ echo a\na\n++ false\n"
    assert await shell(execution, "set -ex\nfalse") == "++ false\n"
    assert await shell(execution, "echo b") == "b\n"


async def test_exit_ends_the_block(execution: Execution) -> None:
    chunks = await run(execution, "echo a\nexit 1\necho b", language="shell")
    assert lines_of_outputs(chunks) == [(1, "a")]
    assert lines(chunks) == [1, 2]


async def test_a_subshell_may_exit(execution: Execution) -> None:
    assert await shell(execution, "(exit 3)\necho $?\necho $(exit 4; echo no)\ntrue") == "3\n\n"


async def test_a_command_without_a_match_is_no_news(execution: Execution) -> None:
    assert await shell(execution, "echo a | grep b") == ""


async def test_lines_are_right_in_every_construct(execution: Execution) -> None:
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
    told = lines_of_outputs(await run(execution, code, language="shell"))
    assert told[:5] == [(5, "1"), (2, "f"), (5, "2"), (2, "f"), (8, "here")]
    assert [word for _, word in told] == ["1", "f", "2", "f", "here", "two", "lines", "true"]


async def test_a_function_of_an_earlier_block_runs_at_the_line_that_calls_it(
    execution: Execution,
) -> None:
    await shell(execution, "\n\nf() {\n  echo f\n}")
    assert lines_of_outputs(await run(execution, "\nf", language="shell")) == [(2, "f")]


async def test_the_last_argument_is_the_user_s(execution: Execution) -> None:
    assert await shell(execution, "echo a b\necho $_") == "a b\nb\n"


async def test_a_hot_loop_goes_on_without_marks(execution: Execution) -> None:
    code = "i=0\nwhile ((i < 30000)); do\n  ((i++))\ndone\necho $i"
    chunks = await run(execution, code, language="shell")
    assert len(lines(chunks)) < 5_001
    assert await shell(execution, "echo a\necho $i") == "a\n30000\n"


async def test_what_is_no_program_is_told_with_its_line(execution: Execution) -> None:
    assert "line 2: no-such-command: command not found" in await shell(
        execution, "true\nno-such-command"
    )


async def test_a_syntax_error_is_told(execution: Execution) -> None:
    assert "syntax error" in await shell(execution, "echo a; fi")
    assert "unexpected EOF" in await shell(execution, "echo 'a")
    assert await shell(execution, "echo on") == "on\n"


async def test_redirections_hold_for_their_block(execution: Execution) -> None:
    await shell(execution, "exec </dev/null")
    assert await output(execution, "read x; echo $x", language="shell", answers=["a"]) == "a\n"
    await shell(execution, "exec >file 2>&1\necho into the file")
    assert await shell(execution, "cat file") == "into the file\n"


async def test_options_do_not_outlive_their_block(execution: Execution) -> None:
    await shell(execution, "set -x; set -u; set -f")
    assert await shell(execution, "echo ${nothing}a") == "a\n"


async def test_it_uses_the_python_that_runs_python(
    execution: Execution, workplace: Workplace
) -> None:
    which = "import shutil\nprint(shutil.which('python'))"
    assert await shell(execution, "command -v python") == await output(execution, which)


async def test_children_have_no_descriptors_of_ours_but_the_output(execution: Execution) -> None:
    """Nothing but what bash itself needs stays open in them."""
    told = await shell(execution, "ls -l /proc/self/fd | grep -c socket")
    assert int(told) <= 1
