"""zsh keeps what a person's own keeps, also after a block that leaves it."""

import shutil

import pytest

from oi_daemon.execution.interpreters import Interpreters
from tests.execution.runs import lines, lines_of_outputs, output, result, run, text

pytestmark = pytest.mark.skipif(
    shutil.which("zsh") is None, reason="zsh is not installed: scripts/test installs it"
)

STATE = """\
variable="a b"
array=(1 "2 3")
typeset -A map; map[k]=v
typeset -r fixed=r
export exported=e
alias greet='echo hello'
f() { echo "f $1" }
setopt extended_glob
mkdir -p sub
cd sub
"""
STATE_SEEN = """\
echo $variable $array[2] $map[k] $fixed
sh -c 'echo $exported'
greet
f 1
[[ -o extended_glob ]] && basename $PWD
"""
STATE_TOLD = "a b 2 3 v r\ne\nhello\nf 1\nsub\n"


async def zsh(interpreters: Interpreters, code: str) -> str:
    return await output(interpreters, code, language="zsh")


@pytest.mark.parametrize(
    ("end", "status"),
    [
        ("true", 0),
        ("exit 3", 3),
        ("set -e; false; echo no", 1),
        ("g() { local variable=inner; exit 4 }; g", 4),
        ("trap 'true' EXIT; exit 5", 5),
        ("return 6", 6),
    ],
)
async def test_state_survives(interpreters: Interpreters, end: str, status: int) -> None:
    """Also the block that leaves the shell."""
    chunks = await run(interpreters, f"{STATE}{end}", language="zsh")
    assert (text(chunks), result(chunks).exit) == ("", status)
    assert await zsh(interpreters, f"echo $?; {STATE_SEEN}") == f"{status}\n{STATE_TOLD}"


@pytest.mark.parametrize("code", ["break", "continue 2", "x=$((1/0))", "echo 'a", "fi", "x[a]=("])
async def test_an_error_ends_the_block_alone(interpreters: Interpreters, code: str) -> None:
    await zsh(interpreters, "x=5")
    assert "zsh ended" not in await zsh(interpreters, f"echo a\n{code}")
    assert await zsh(interpreters, "echo $x") == "5\n"


async def test_lines_are_right_in_every_construct(interpreters: Interpreters) -> None:
    code = (
        "f() {\n"
        "  echo f\n"
        "}\n"
        "for i in 1 2; do\n"
        "  echo $i\n"
        "  f\n"
        "done\n"
        "(echo sub)\n"
        "if true; then\n"
        '  echo "two\n'
        'lines" | cat\n'
        "fi\n"
    )
    told = lines_of_outputs(await run(interpreters, code, language="zsh"))
    assert told == [
        (5, "1"),
        (6, "f"),
        (5, "2"),
        (6, "f"),
        (8, "sub"),
        (10, "two"),
        (10, "lines"),
    ]


async def test_a_script_that_is_sourced_runs_at_the_line_that_sources_it(
    interpreters: Interpreters,
) -> None:
    await zsh(interpreters, "printf 'echo in\\n\\necho it\\n' >script")
    chunks = await run(interpreters, "\nsource ./script", language="zsh")
    assert (lines(chunks), text(chunks)) == ([2], "in\nit\n")
