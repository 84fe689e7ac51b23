"""What every language does alike."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.execution.languages.registry import LANGUAGES, find_language
from oi_daemon.messages import ActiveLine, BlockError, Chunk, EndOfExecution, Output
from tests.execution.runs import Running, lines, lines_of_outputs, output, result, run, text
from tests.patience import until


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The same small programs in each language."""

    language: str
    say: str
    both: str
    remember: str
    recall: str
    fail: str
    ask: str
    wait: str
    spin: str
    flood: str
    die: str
    kill: str
    background: str
    where: str
    error: tuple[str, str] | None = None
    """The name and the message of the error with which `fail` ends; None: the language has none."""
    last_call: str = ""
    """Beginning of the last line of that error's traceback."""
    nothing: str = "# nothing"
    bytes: str = r"printf 'a\xffb\x00c\rd\n'"


SAMPLES = [
    Sample(
        language="python",
        say="print('{}')",
        both="import sys, os\nprint(1)\nprint(2, file=sys.stderr)\nos.system('echo 3')\nprint(4)",
        remember="x = 5",
        recall="print(x)",
        fail="1 / 0",
        error=("ZeroDivisionError", "division by zero"),
        last_call="ZeroDivisionError: ",
        ask="print(input())",
        wait="import time\nprint('waits')\ntime.sleep(60)",
        spin="print('spins')\nwhile True: pass",
        flood="for i in range(10**9): print(i)",
        die="import os\nprint('last words')\nos._exit(3)",
        kill="import os\nprint('last words')\nos.kill(os.getpid(), 9)",
        background="import subprocess\nprint(subprocess.Popen(['sleep', '100']).pid)",
        where="import os\nprint(os.getcwd())",
        bytes=r"import os; _ = os.write(1, b'a\xffb\x00c\rd\n')",
    ),
    Sample(
        language="shell",
        say="echo {}",
        both="echo 1\necho 2 >&2\nsh -c 'echo 3'\necho 4",
        remember="x=5",
        recall="echo $x",
        fail="no-such-command",
        ask="read x\necho $x",
        wait="echo waits\nsleep 60",
        spin="echo spins\nwhile :; do :; done",
        flood="i=0\nwhile :; do echo $i; done",
        die="echo last words\ncommand builtin trap - EXIT\nexit 3",
        kill="echo last words\nkill -9 $$",
        background="sleep 100 >/dev/null &\necho $!",
        where="pwd",
    ),
    Sample(
        language="zsh",
        say="echo {}",
        both="echo 1\necho 2 >&2\nsh -c 'echo 3'\necho 4",
        remember="x=5",
        recall="echo $x",
        fail="no-such-command",
        ask="read x\necho $x",
        wait="echo waits\nsleep 60",
        spin="echo spins\nwhile :; do :; done",
        flood="i=0\nwhile :; do echo $i; done",
        die="echo last words\nzshexit_functions=()\ntrap - EXIT\nexit 3",
        kill="echo last words\nkill -9 $$",
        background="sleep 100 >/dev/null &\necho $!",
        where="pwd",
    ),
    Sample(
        language="r",
        say="cat('{}\\n')",
        both="cat('1\\n')\nmessage(2)\nsystem('echo 3')\ncat('4\\n')",
        remember="x <- 5",
        recall="cat(x, '\\n', sep = '')",
        fail="stop('it fails')",
        error=("simpleError", "it fails"),
        last_call="stop(",
        ask="cat(readline(), '\\n', sep = '')",
        wait="cat('waits\\n')\nSys.sleep(60)",
        spin="cat('spins\\n')\nrepeat {}",
        flood="i <- 0\nrepeat cat(i, '\\n')",
        die="cat('last words\\n')\nq(status = 3)",
        kill="cat('last words\\n')\ntools::pskill(Sys.getpid(), 9)",
        background="cat(system('sleep 100 >/dev/null & echo $!', intern = TRUE))",
        where="cat(getwd(), '\\n', sep = '')",
        bytes=r"""system("bash -c 'printf \"a\\xffb\\x00c\\rd\\n\"'")""",
    ),
    Sample(
        language="javascript",
        say="console.log('{}')",
        both="console.log(1)\nconsole.error(2)\n"
        "require('child_process').execSync('echo 3', {stdio: 'inherit'})\nconsole.log(4)",
        remember="const x = 5",
        recall="console.log(x)",
        fail="null.x",
        error=("TypeError", "Cannot read properties of null (reading 'x')"),
        last_call="    at block1.js:1",
        ask="console.log(prompt())",
        wait="console.log('waits')\nawait new Promise((done) => setTimeout(done, 60000))",
        spin="console.log('spins')\nfor (;;) {}",
        flood="for (let i = 0; ; i++) console.log(i)",
        die="console.log('last words')\nprocess.reallyExit(3)",
        kill="console.log('last words')\nprocess.kill(process.pid, 'SIGKILL')",
        background="const away = {detached: true, stdio: 'ignore'}\n"
        "const sleep = require('child_process').spawn('sleep', ['100'], away)\n"
        "sleep.unref()\nconsole.log(sleep.pid)",
        where="console.log(process.cwd())",
        nothing="// nothing",
        bytes=r"require('fs').writeSync(1, Buffer.from('a\xffb\x00c\rd\n', 'latin1')); undefined",
    ),
]


SHELLS = ("shell", "zsh")
INSTALLED = [known.name for known in LANGUAGES if known.missing() is None]


@pytest.fixture(params=SAMPLES, ids=[sample.language for sample in SAMPLES])
def sample(request: pytest.FixtureRequest) -> Sample:
    chosen: Sample = request.param
    if chosen.language in SHELLS and chosen.language not in INSTALLED:
        pytest.skip(f"{chosen.language} is not installed: scripts/test installs it")
    return chosen


def alive(process: int) -> bool:
    """Whether it runs; a dead one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_output_stands_under_its_line(interpreters: Interpreters, sample: Sample) -> None:
    code = "\n".join(sample.say.format(word) for word in ("a", "b"))
    chunks = await run(interpreters, code, language=sample.language)
    assert lines_of_outputs(chunks) == [(1, "a"), (2, "b")]


async def test_all_outputs_come_in_their_true_order(
    interpreters: Interpreters, sample: Sample
) -> None:
    assert await output(interpreters, sample.both, language=sample.language) == "1\n2\n3\n4\n"


async def test_state_is_kept_between_blocks(interpreters: Interpreters, sample: Sample) -> None:
    await run(interpreters, sample.remember, language=sample.language)
    assert await output(interpreters, sample.recall, language=sample.language) == "5\n"


async def test_text_of_any_script_arrives(interpreters: Interpreters, sample: Sample) -> None:
    code = sample.say.format("né 日本 🎈")
    assert await output(interpreters, code, language=sample.language) == "né 日本 🎈\n"


async def test_a_block_of_a_megabyte_runs(interpreters: Interpreters, sample: Sample) -> None:
    comment = f"{sample.nothing}{'x' * 1000}\n" * 1000
    code = f"{comment}{sample.say.format('end')}"
    chunks = await run(interpreters, code, language=sample.language)
    assert lines_of_outputs(chunks) == [(1001, "end")]


async def test_it_runs_in_the_workplace(
    interpreters: Interpreters, sample: Sample, workplace: Workplace
) -> None:
    assert (
        await output(interpreters, sample.where, language=sample.language) == f"{workplace.cwd}\n"
    )


async def test_an_empty_block_ends(interpreters: Interpreters, sample: Sample) -> None:
    for code in ("", "\n\n", sample.nothing):
        assert not text(await run(interpreters, code, language=sample.language))


async def test_a_block_that_fails_says_so_and_keeps_state(
    interpreters: Interpreters, sample: Sample
) -> None:
    await run(interpreters, sample.remember, language=sample.language)
    chunks = await run(interpreters, sample.fail, language=sample.language)
    assert text(chunks)
    assert result(chunks).status == "error"
    assert await output(interpreters, sample.recall, language=sample.language) == "5\n"


async def test_the_end_tells_the_error_as_data(interpreters: Interpreters, sample: Sample) -> None:
    """With the traceback as it is in the output. The shell has an exit status in its place."""
    chunks = await run(interpreters, sample.fail, language=sample.language)
    ended = result(chunks)
    if sample.error is None:
        assert (ended.error, ended.exit) == (None, 127)
        return
    assert ended.error is not None
    assert (ended.error.name, ended.error.message, ended.exit) == (*sample.error, None)
    assert ended.error.message in text(chunks)
    assert ended.error.traceback[-1].startswith(sample.last_call)
    assert result(await run(interpreters, sample.remember, language=sample.language)).error is None


async def test_the_end_of_a_block_that_ran_says_ok(
    interpreters: Interpreters, sample: Sample
) -> None:
    ended = result(await run(interpreters, sample.remember, language=sample.language))
    exit_status = 0 if sample.language in SHELLS else None
    assert (ended.status, ended.error, ended.exit) == ("ok", None, exit_status)
    assert ended.seconds > 0


@pytest.mark.parametrize("program", ["wait", "spin", "flood"])
async def test_an_interrupt_stops_it_and_keeps_state(
    interpreters: Interpreters, sample: Sample, program: str
) -> None:
    await run(interpreters, sample.remember, language=sample.language)
    block = Running(interpreters, getattr(sample, program), sample.language)
    await until(lambda: bool(text(block.chunks)))
    interpreters.interrupt()
    assert result(await block.end()).status == "interrupted"
    assert await output(interpreters, sample.recall, language=sample.language) == "5\n"


async def test_it_is_stopped_when_its_time_is_over(
    interpreters: Interpreters, sample: Sample
) -> None:
    await run(interpreters, sample.remember, language=sample.language)
    interpreters._workplace.limits.seconds = 0.5
    chunks = await run(interpreters, sample.spin, language=sample.language)
    assert "`max_seconds`" in text(chunks)
    assert result(chunks).status == "interrupted"
    assert result(chunks).seconds >= 0.5
    interpreters._workplace.limits.seconds = None
    assert await output(interpreters, sample.recall, language=sample.language) == "5\n"


async def test_an_interrupt_without_a_block_does_nothing(
    interpreters: Interpreters, sample: Sample
) -> None:
    interpreters.interrupt()
    await run(interpreters, sample.remember, language=sample.language)
    interpreters.interrupt()
    assert await output(interpreters, sample.recall, language=sample.language) == "5\n"


async def test_a_consumer_that_leaves_stops_the_code(
    interpreters: Interpreters, sample: Sample
) -> None:
    """Its variables live, and the next block's output is its own only."""
    await run(interpreters, sample.remember, language=sample.language)
    for _ in range(5):
        chunks = interpreters.run(sample.language, sample.spin)
        async for chunk in chunks:
            if isinstance(chunk, Output):
                break
        await chunks.aclose()
        assert await output(interpreters, sample.recall, language=sample.language) == "5\n"


async def test_it_asks_for_input(interpreters: Interpreters, sample: Sample) -> None:
    answered = await output(interpreters, sample.ask, language=sample.language, answers=["né"])
    assert answered == "né\n"


async def test_input_can_end(interpreters: Interpreters, sample: Sample) -> None:
    """End of file holds for one request; the next block can ask again."""
    await run(interpreters, sample.ask, language=sample.language, answers=[None])
    answered = await output(interpreters, sample.ask, language=sample.language, answers=["b"])
    assert answered == "b\n"


async def test_an_interrupt_ends_the_wait_for_input(
    interpreters: Interpreters, sample: Sample
) -> None:
    chunks: list[Chunk] = []
    async for chunk in interpreters.run(sample.language, sample.ask):
        chunks.append(chunk)
        if hasattr(chunk, "input"):
            interpreters.interrupt()
    assert chunks[-1] == EndOfExecution()
    answered = await output(interpreters, sample.ask, language=sample.language, answers=["c"])
    assert answered == "c\n"


async def test_nobody_waits_for_an_answer(interpreters: Interpreters, sample: Sample) -> None:
    assert not await interpreters.answer("1", "x")
    await run(interpreters, sample.remember, language=sample.language)
    assert not await interpreters.answer("1", "x")


@pytest.mark.parametrize(("program", "how"), [("die", "exit code 3"), ("kill", "SIGKILL")])
async def test_the_end_of_an_interpreter_is_told(
    interpreters: Interpreters, sample: Sample, program: str, how: str
) -> None:
    """Its last words are kept, and the next block has a fresh one."""
    chunks = await run(interpreters, getattr(sample, program), language=sample.language)
    words, sentence = text(chunks).splitlines()
    assert words == "last words"
    assert how in sentence
    assert "lost" in sentence
    ended = result(chunks)
    told = 3 if ended.error is None else ended.error.name
    assert ended.status == "killed"
    assert (ended.exit, str(told) in how) == (3 if program == "die" else None, True)
    again = sample.say.format("again")
    assert await output(interpreters, again, language=sample.language) == "again\n"


async def test_closing_forgets_and_ends_what_was_started(
    interpreters: Interpreters, sample: Sample
) -> None:
    await run(interpreters, sample.remember, language=sample.language)
    process = int(await output(interpreters, sample.background, language=sample.language))
    assert alive(process)
    await interpreters.close()
    await until(lambda: not alive(process))
    assert await output(interpreters, sample.recall, language=sample.language) != "5\n"


async def test_closing_ends_a_block_that_runs(interpreters: Interpreters, sample: Sample) -> None:
    block = Running(interpreters, sample.spin, sample.language)
    await block.seen("spins")
    await interpreters.close()
    assert (await block.end())[-2:] == [ActiveLine(None), EndOfExecution()]
    assert (result(block.chunks).status, result(block.chunks).error) == ("killed", None)


async def test_a_background_process_outlives_its_block(
    interpreters: Interpreters, sample: Sample
) -> None:
    process = int(await output(interpreters, sample.background, language=sample.language))
    await run(interpreters, sample.remember, language=sample.language)
    assert alive(process)


async def test_a_flood_is_cut_and_the_program_never_waits(
    sample: Sample, workplace: Workplace
) -> None:
    small = Workplace(cwd=workplace.cwd, shown_head=1000, shown_tail=100)
    interpreters = Interpreters(small)
    code = "\n".join([sample.say.format("x" * 500)] * 10 + [sample.say.format("end")])
    told = await output(interpreters, code, language=sample.language)
    await interpreters.close()
    assert "bytes left out ...]\n" in told
    assert told.endswith("\nend\n")
    assert len(told) < 1200


async def test_bytes_that_are_no_text(interpreters: Interpreters, sample: Sample) -> None:
    told = await output(interpreters, sample.bytes, language=sample.language)
    assert told == "a\ufffdb\x00c\rd\n"


async def test_code_that_is_no_text(interpreters: Interpreters, sample: Sample) -> None:
    """Lone surrogates and NULs are an error of the block at most."""
    for code in ("'\ud800'", "'a\x00b'"):
        await run(interpreters, code, language=sample.language)
    again = sample.say.format("again")
    assert await output(interpreters, again, language=sample.language) == "again\n"


async def test_many_at_once(workplace: Workplace, sample: Sample) -> None:
    """Each with descriptors of other numbers."""
    several = [Interpreters(workplace) for _ in range(8)]
    for number, interpreters in enumerate(several):
        said = await output(interpreters, sample.say.format(number), language=sample.language)
        assert said == f"{number}\n"
    for interpreters in several:
        await interpreters.close()


async def test_python_can_be_started_ahead_of_need(interpreters: Interpreters) -> None:
    await interpreters.warm()
    assert await output(interpreters, "print(1)") == "1\n"


async def test_a_language_that_is_unknown_is_said(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, "x", language="cobol")
    told = text(chunks)
    assert told.startswith(
        "Code in 'cobol' cannot be run here. The languages that can be run are: "
    )
    assert told.endswith(f"{', '.join(INSTALLED)}.\n")
    assert not lines(chunks)
    assert result(chunks).error == BlockError("NotInstalledError", told.removesuffix("\n"))


async def test_an_interpreter_that_is_not_there_is_said(tmp_path: Path) -> None:
    interpreters = Interpreters(Workplace(cwd=str(tmp_path), python="/no/such/python"))
    told = await output(interpreters, "1")
    assert "'/no/such/python'" in told
    assert "setting `python`" in told
    await interpreters.warm()


async def test_a_folder_that_is_gone_is_said(tmp_path: Path, sample: Sample) -> None:
    interpreters = Interpreters(Workplace(cwd=str(tmp_path / "gone")))
    assert "gone" in await output(interpreters, "1", language=sample.language)


@pytest.mark.parametrize(
    "place",
    [
        Workplace(cwd="/no/such/folder"),
        Workplace(cwd="a\0b"),
        Workplace(cwd="/", python="/no/such/python"),
    ],
)
async def test_one_that_does_not_start_leaves_nothing_open(
    sample: Sample, place: Workplace
) -> None:
    interpreters = Interpreters(place)
    await run(interpreters, "1", language=sample.language)
    before = os.listdir("/dev/fd")  # noqa: PTH208
    await run(interpreters, "1", language=sample.language)
    assert len(os.listdir("/dev/fd")) == len(before)  # noqa: PTH208


@pytest.mark.parametrize("alias", ["py", "Python3", " PYTHON ", "python"])
def test_a_language_has_aliases(alias: str) -> None:
    assert find_language(alias) is LANGUAGES[0]


@pytest.mark.parametrize("name", ["python", "shell", "javascript", "r", "html"])
def test_a_language_is_installed_where_it_is_tested(name: str) -> None:
    assert name in INSTALLED


def test_no_alias_means_two_languages() -> None:
    names = [name for row in LANGUAGES for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))
