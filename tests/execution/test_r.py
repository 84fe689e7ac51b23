"""R does what its own console does, and shows its plots."""

import asyncio
import base64
import shutil
import tempfile
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.messages import ActiveLine, Display, InputRequest, Output
from tests.execution.runs import Running, displays, lines, lines_of_outputs, output, run, text


async def r(interpreters: Interpreters, code: str, *answers: str | None) -> str:
    return await output(interpreters, code, language="r", answers=answers)


async def test_values_that_are_visible_are_printed(interpreters: Interpreters) -> None:
    assert await r(interpreters, "x <- 1\nx + 1\ninvisible(3)\nNULL") == "[1] 2\nNULL\n"
    assert await r(interpreters, "f <- function(x) {\n  x # kept\n}\nf") == (
        "function(x) {\n  x # kept\n}\n"
    )
    assert "Slot" in await r(interpreters, "setClass('P', representation(a = 'numeric'))\nnew('P')")


async def test_the_last_value_is_kept(interpreters: Interpreters) -> None:
    """Also one that was not printed, and from one block to the next."""
    assert await r(interpreters, "x <- 4\n.Last.value + 1") == "[1] 5\n"
    assert await r(interpreters, ".Last.value * 2") == "[1] 10\n"


async def test_lines_are_right_in_loops_and_branches(interpreters: Interpreters) -> None:
    code = (
        "for (i in 1:2) {\n"
        "  cat(i, '\\n')\n"
        "  if (i == 2) {\n"
        "    cat('two\\n')\n"
        "  }\n"
        "}\n"
        "x <- tryCatch({\n"
        "  cat('tried\\n')\n"
        "  stop('no')\n"
        "}, error = function(e) 7)\n"
        "x\n"
    )
    told = lines_of_outputs(await run(interpreters, code, language="r"))
    assert told == [(2, "1 "), (2, "2 "), (4, "two"), (8, "tried"), (11, "[1] 7")]


async def test_lines_are_right_in_functions(interpreters: Interpreters) -> None:
    """Also after a function has returned, and in one that is called by R's own functions."""
    code = (
        "f <- function(n) {\n"
        "  cat('f\\n')\n"
        "  for (i in 1:n) {\n"
        "    print(i)\n"
        "  }\n"
        "  message('end')\n"
        "  n\n"
        "}\n"
        "f(2)\n"
        "x <- sapply(1, function(i) {\n"
        "  writeLines('s')\n"
        "  f(i)\n"
        "})\n"
        "for (i in 1) {\n"
        "  f(1); cat('after\\n')\n"
        "}\n"
        "cat('last\\n')"
    )
    told = lines_of_outputs(await run(interpreters, code, language="r"))
    f = [(2, "f"), (4, "[1] 1"), (6, "end")]
    assert told == [
        *[(2, "f"), (4, "[1] 1"), (4, "[1] 2"), (6, "end"), (9, "[1] 2")],
        *[(11, "s"), *f],
        *[*f, (15, "after"), (17, "last")],
    ]


async def test_a_function_of_an_earlier_block_runs_at_the_line_that_calls_it(
    interpreters: Interpreters,
) -> None:
    await r(interpreters, "f <- function() {\n\n\n  cat('f\\n')\n}")
    assert lines_of_outputs(await run(interpreters, "\nf()", language="r")) == [(2, "f")]


async def test_an_error_after_a_function_names_its_own_line(interpreters: Interpreters) -> None:
    code = "f <- function() {\n  cat('f\\n')\n}\nf()\nstop('no')"
    told = lines_of_outputs(await run(interpreters, code, language="r"))
    assert told == [(2, "f"), (5, "Error (line 5): no")]


async def test_the_stack_is_that_of_r_s_own_console(interpreters: Interpreters) -> None:
    code = "sys.nframe()\nsys.calls()\nsys.call()\nidentical(parent.frame(3), globalenv())"
    assert await r(interpreters, code) == "[1] 0\nNULL\nNULL\n[1] TRUE\n"
    code = (
        "f <- function() g()\n"
        "g <- function(envir = parent.frame(2)) {\n"
        "  cat(sys.nframe(), sys.parent(), sys.parents(), length(sys.calls()), '\\n')\n"
        "  cat(deparse(sys.call()), deparse(sys.call(1)), identical(envir, globalenv()), '\\n')\n"
        "  identical(sys.frame(1), parent.frame())\n"
        "}\n"
        "f()\nlocal(sys.nframe())\ntry(sys.call(5))"
    )
    assert await r(interpreters, code) == (
        "2 1 0 1 2 \ng() f() TRUE \n[1] TRUE\n[1] 6\n"
        "Error in sys.call(5) : not that many frames on the stack\n"
    )


async def test_what_is_kept_is_what_was_written(interpreters: Interpreters) -> None:
    """No function and no expression carries our marks with it."""
    code = "f <- function(x) {\n  x\n  x + 1\n}\nlength(body(f))\nlength(quote({\n  1\n  2\n}))"
    assert await r(interpreters, code) == "[1] 3\n[1] 3\n"


async def test_a_hot_loop_goes_on_without_marks(interpreters: Interpreters) -> None:
    code = "x <- 0\nfor (i in 1:50000) {\n  x <- x + 1\n  x <- x * 1\n}\nx"
    chunks = await run(interpreters, code, language="r")
    assert lines_of_outputs(chunks) == [(6, "[1] 50000")]
    assert len(lines(chunks)) < 6000


async def test_an_error_is_told_with_its_line(interpreters: Interpreters) -> None:
    code = "f <- function(a) {\n  a\n  stop('bad: ', a)\n}\n\nf(3)\ncat('not reached')"
    chunks = await run(interpreters, code, language="r")
    assert lines_of_outputs(chunks) == [(3, "Error in f(3) (line 3): bad: 3")]
    assert await r(interpreters, "\nf(4)") == "Error in f(4) (line 2): bad: 4\n"
    assert await r(interpreters, "nothing") == "Error (line 1): object 'nothing' not found\n"


async def test_an_error_without_room_for_it_is_told(interpreters: Interpreters) -> None:
    assert "Error (line 2): " in await r(interpreters, "f <- function(n) f(n + 1)\nf(1)")


async def test_a_syntax_error_is_told_with_its_line(interpreters: Interpreters) -> None:
    told = await r(interpreters, "cat('not run')\ny ] 3")
    assert told.startswith("Error: <block>:2:3: unexpected ']'")


async def test_warnings_and_messages_stand_where_they_arise(interpreters: Interpreters) -> None:
    code = "cat('1\\n')\nwarning('2')\nmessage('3')\nf <- function() warning('4')\nf()\ncat('5\\n')"
    assert await r(interpreters, code) == "1\nWarning: 2\n3\nWarning in f() : 4\n5\n"


async def test_plots_are_shown_as_pictures(interpreters: Interpreters) -> None:
    code = "plot(1:3)\nlines(3:1)\ncat('between\\n')\nplot(2)\nx <- 1"
    chunks = await run(interpreters, code, language="r")
    pictures = [base64.b64decode(str(shown["image/png"])) for shown in displays(chunks)]
    assert [picture[:4] for picture in pictures] == [b"\x89PNG"] * 2
    order = [type(c).__name__ for c in chunks if isinstance(c, Output | Display)]
    assert order == ["Output", "Display", "Display"]
    assert not displays(await run(interpreters, "1", language="r"))


async def test_grid_plots_are_shown(interpreters: Interpreters) -> None:
    assert len(displays(await run(interpreters, "grid::grid.newpage()", language="r"))) == 1


async def test_a_device_of_the_user_s_own_is_theirs(interpreters: Interpreters) -> None:
    code = "png('own.png')\nplot(1)\ninvisible(dev.off())\nfile.exists('own.png')"
    chunks = await run(interpreters, code, language="r")
    assert lines_of_outputs(chunks) == [(4, "[1] TRUE")]
    assert not displays(chunks)


async def test_readline_asks_with_its_prompt(interpreters: Interpreters) -> None:
    code = "x <- readline('Name \"a\\\\b\"? ')\nx"
    chunks = await run(interpreters, code, language="r", answers=['né \\ "q"'])
    assert [c.prompt for c in chunks if isinstance(c, InputRequest)] == ['Name "a\\b"? ']
    assert lines_of_outputs(chunks) == [(2, '[1] "né \\\\ \\"q\\""')]
    assert await r(interpreters, "readline()", None) == '[1] ""\n'


@pytest.mark.parametrize("source", ["'stdin'", "stdin()", "file('stdin')"])
async def test_standard_input_asks(interpreters: Interpreters, source: str) -> None:
    assert await r(interpreters, f"readLines({source}, n = 1)", "a") == '[1] "a"\n'


async def test_a_password_is_asked_for_as_one(interpreters: Interpreters) -> None:
    code = "x <- getOption('askpass')('Password: ')"
    chunks = await run(interpreters, code, language="r", answers=["secret"])
    assert [(c.prompt, c.password) for c in chunks if isinstance(c, InputRequest)] == [
        ("Password: ", True)
    ]


async def test_diverted_output_keeps_its_marks_out(interpreters: Interpreters) -> None:
    code = "x <- capture.output({\n  print(1)\n  print(2)\n})\nx"
    assert await r(interpreters, code) == '[1] "[1] 1" "[1] 2"\n'
    code = (
        "con <- file('log', 'w')\nsink(con, type = 'message')\nmessage('a')\nsink(type = 'message')"
    )
    await run(interpreters, code, language="r")
    assert await r(interpreters, "close(con)\nreadLines('log')") == '[1] "a"\n'


async def test_connections_may_all_be_closed(interpreters: Interpreters) -> None:
    assert await r(interpreters, "closeAllConnections()\ncat('a\\n')") == "a\n"
    assert await r(interpreters, "readLines(n = 1)", "b") == '[1] "b"\n'


async def test_no_name_of_ours_is_seen(interpreters: Interpreters) -> None:
    assert await r(interpreters, "ls(all.names = TRUE)\ncommandArgs(TRUE)") == "character(0)\n" * 2
    assert await r(interpreters, "Sys.getenv('OI_R')") == '[1] ""\n'


async def test_its_temporary_files_go_with_it(
    interpreters: Interpreters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    await run(interpreters, "writeLines('a', tempfile())\nquit('no')", language="r")
    await run(interpreters, "writeLines('a', tempfile())", language="r")
    assert list(folder.iterdir())
    await interpreters.close()
    assert not list(folder.iterdir())


async def test_an_interrupt_is_told_with_its_line(interpreters: Interpreters) -> None:
    block = Running(interpreters, "cat('waits\\n')\nSys.sleep(60)", "r")
    await block.seen("waits")
    interpreters.interrupt()
    assert lines_of_outputs(await block.end())[-1][1] == "Interrupted (line 2)"


async def test_an_interrupt_reaches_a_child(interpreters: Interpreters) -> None:
    await run(interpreters, "x <- 5", language="r")
    block = Running(interpreters, "cat('waits\\n')\nsystem('sleep 60')\nSys.sleep(60)", "r")
    await block.seen("waits")
    interpreters.interrupt()
    assert (await block.end())[-2] == ActiveLine(None)
    assert await r(interpreters, "x") == "[1] 5\n"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace sends the signal in time")
async def test_an_interrupt_just_as_r_begins_to_sleep_leaves_its_handler(
    interpreters: Interpreters, tmp_path: Path
) -> None:
    """R has put its handler aside then, and has not noted yet which one it was."""
    worker = await r(interpreters, "x <- 5\ncat(Sys.getpid())")
    tracer = await asyncio.create_subprocess_exec(
        *("strace", "-p", worker, "-o", str(tmp_path / "trace"), "-e", "trace=rt_sigaction"),
        *("-e", "inject=rt_sigaction:signal=SIGINT:when=1"),
        stderr=PIPE,
    )
    assert tracer.stderr is not None
    if b" attached" not in await tracer.stderr.readline():
        pytest.skip("the system does not let a process trace another one")
    sleep = "tryCatch(Sys.sleep(60), interrupt = function(e) cat('woken'))"
    assert await r(interpreters, sleep) == "woken"
    tracer.terminate()
    await tracer.wait()
    block = Running(interpreters, "cat('waits')\nfor (i in 1:1e9) j <- i", "r")
    await block.seen("waits")
    interpreters.interrupt()
    assert "Interrupted" in text(await block.end())
    assert await r(interpreters, "x") == "[1] 5\n"
