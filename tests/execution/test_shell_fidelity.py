"""A block of the shell does what the same text does as a script."""

import asyncio
import os
from asyncio.subprocess import DEVNULL, PIPE, STDOUT
from pathlib import Path

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.messages import EndOfExecution
from tests.execution.runs import Running, lines_of_outputs, output, run, text

SCRIPTS = [
    "echo a; break; echo b",
    "continue 2\necho after",
    "for i in 1 2 3; do continue 5; done; echo $i",
    "x[1/0]=3\necho on",
    "declare -i n=abc+\necho $?",
    "echo $((1/0)); echo same line\necho next $?",
    "return 3\necho after $?",
    "echo ${x!y}\necho on",
    "set -euo pipefail; false | true; echo no",
    "set -u; echo $nope; echo no",
    "echo ${x?unset}; echo no",
    "[[ abc =~ (b)(c) ]]; echo x > f; read -r x < f; echo ${BASH_REMATCH[*]} $x",
    "trap 'echo ERR $? $LINENO' ERR\nfalse\n(exit 3)\n! true\nfalse || true",
    "trap 'echo ERR in $FUNCNAME' ERR; f() { false; echo f; }; f",
    "trap 'echo RET $FUNCNAME' RETURN; f() { echo f; }; f; declare -ft f; f",
    "trap 'echo DBG $BASH_COMMAND' DEBUG; echo a; f() { echo f; }; f; trap - DEBUG; echo b",
    "trap; trap 'echo it' USR1; trap; kill -USR1 $$; trap - USR1; trap -p",
    "trap 'echo x; exit 8' EXIT; exit 1",
    "f() { trap 'echo local $v' EXIT; local v=7; exit 0; }; f",
    "echo $-; set -f; echo $-; echo $SHELLOPTS $BASHOPTS; set -o | grep on$; shopt | grep on$",
    "declare -f; declare -F; compgen -A function; compgen -v | grep __oi; set | grep __oi",
    "f() {\n  caller 0\n  echo ${FUNCNAME[*]} ${BASH_SOURCE[*]} ${BASH_LINENO[*]}\n}\nf\ncaller",
    "echo $LINENO\nf() {\n  echo $LINENO\n}\nf\neval 'echo $LINENO'",
    "PS4='+$LINENO: '; set -x\necho a\nf() {\n  echo f\n}\nf\nx=$(echo b)",
    'f() {\n  no_such_command\n}\nf\n[[ "${BASH_SOURCE[0]}" == "$0" ]] && echo main',
    "exec sh -c 'echo replaced; exit 4'\necho no",
    "exec no-such-command\necho no",
    "exec -i no-such-option\necho on\ndeclare -a | grep __oi",
    "exec 3>file; echo hi >&3; exec 3>&-; cat file",
    "(exec echo sub); echo $(exec echo sub); echo on",
    "echo 'a; )\necho b",
    "echo a; fi\necho b",
    "cat <<END\nno end",
    "echo a \\",
    "f() { local -r x=1; x=2; echo no; }; f; echo $?",
    "echo a b; echo $_; false; exit",
    "set -e\ntrap 'echo left' EXIT\necho here\nfalse\necho no",
    "trap -p NOSIG\ntrap\nno_such_command",
    "set -o functrace; f() { return; }; trap 'echo RET' RETURN; f; set +T; f",
    "set -T; f() { echo f; }; trap 'echo DBG $LINENO' DEBUG; f; trap - DEBUG; f",
    "eval cat <(echo a); eval 'echo b; cat' <(echo c)",
    "shopt -s execfail; exec no-such-command; echo $?; exec echo replaced; echo no",
    "for i in {1..6000}; do :; done; exec sh -c 'echo replaced; exit 4'",
    "echo ${#-} $(echo $-)",
    "exec 9>trace; BASH_XTRACEFD=9\nset -x\necho a; set +x; cat trace",
    "set -n\necho no",
    "cat <<END\na\nEND\ncat <<END\nb",
    "echo 'a << b'; x=$(cat <<END\nno end)\necho $x",
    "printf '%s\\n' a b | while read -r line; do echo $line; done",
]
"""Each is run as a script by bash, and as a block."""


async def shell(interpreters: Interpreters, code: str) -> str:
    return await output(interpreters, code, language="shell")


@pytest.mark.parametrize("code", SCRIPTS)
async def test_it_does_what_a_script_does(
    interpreters: Interpreters, code: str, tmp_path: Path
) -> None:
    """Output and exit status are alike, and its variables are there for the next block."""
    (tmp_path / "bash").write_text(f"{code}\n")
    environment = {**os.environ, "BASHOPTS": "expand_aliases"}
    script = await asyncio.create_subprocess_exec(
        *("bash", "bash"),
        cwd=tmp_path,
        env=environment,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    expected, _ = await script.communicate()
    await shell(interpreters, "kept='a b'")
    chunks = await run(interpreters, code, language="shell")
    assert text(chunks) == expected.decode()
    end = chunks[-1]
    assert isinstance(end, EndOfExecution)
    assert end.result is not None
    assert end.result.exit == script.returncode
    assert await shell(interpreters, "trap - DEBUG ERR RETURN; echo $kept") == "a b\n"


async def test_endless_recursion_loses_nothing(interpreters: Interpreters) -> None:
    await shell(interpreters, "x=5")
    assert "nesting level exceeded" in await shell(interpreters, "f() { f; }\nf")
    assert await shell(interpreters, "echo $x ${FUNCNAME-none}") == "5 none\n"


async def test_variables_of_a_function_that_exits_are_not_kept(interpreters: Interpreters) -> None:
    await shell(interpreters, "x=outer\nf() { local x=inner; exit 3; }\nf")
    assert await shell(interpreters, "echo $x") == "outer\n"


async def test_what_is_read_only_outlives_an_exit(interpreters: Interpreters) -> None:
    await shell(interpreters, "readonly x=5; set -- a 'b c'; trap 'echo usr' USR1; exit 3")
    told = await shell(interpreters, 'echo $? $x "$2"\nx=6\nkill -USR1 $$')
    assert told == "3 5 b c\nbash: line 2: x: readonly variable\nusr\n"


async def test_the_exit_status_is_there_in_the_next_block(interpreters: Interpreters) -> None:
    await shell(interpreters, "trap 'echo failed' ERR; (exit 7)")
    assert await shell(interpreters, "echo $?; trap - ERR") == "7\n"
    assert await shell(interpreters, "echo $?") == "0\n"


async def test_a_function_that_is_defined_again_has_its_new_lines(
    interpreters: Interpreters,
) -> None:
    await shell(interpreters, "\n\nf() {\n  echo old\n}\ng() { echo g; }")
    code = "f\nf() {\n  echo new\n}\nf\ng"
    told = lines_of_outputs(await run(interpreters, code, language="shell"))
    assert told == [(1, "old"), (3, "new"), (6, "g")]


@pytest.mark.parametrize(
    "code",
    [
        "for i in 1 2 3; do for ((;;)); do :; done; done",
        "while ((1)); do ((n++)); done",
        "for ((i = 0; i < 2; i++)); do sleep 60; done",
        "f() { for i in {1..1000}; do sleep 60; done; echo no; }; f; echo no",
        "trap 'echo mine' INT; while :; do :; done",
        "set -e; while read -r line; do :; done < <(yes)",
        "exec sleep 60",
    ],
)
async def test_an_interrupt_leaves_everything(interpreters: Interpreters, code: str) -> None:
    """Loops, functions and what follows; the variables are kept."""
    await shell(interpreters, "x=5")
    block = Running(interpreters, f"echo begun; {code}\necho no", "shell")
    await block.seen("begun")
    interpreters.interrupt()
    assert "no" not in text(await block.end())
    assert await shell(interpreters, "echo $x; trap") == "5\n"
