"""R does what its own console does, and shows its plots."""

import base64
import tempfile
from pathlib import Path

import pytest

from oi_daemon.execution import Execution
from oi_daemon.messages import ActiveLine, Display, InputRequest, Output
from tests.execution.runs import Running, displays, lines, lines_of_outputs, output, run


async def r(execution: Execution, code: str, *answers: str | None) -> str:
    return await output(execution, code, language="r", answers=answers)


async def test_values_that_are_visible_are_printed(execution: Execution) -> None:
    assert await r(execution, "x <- 1\nx + 1\ninvisible(3)\nNULL") == "[1] 2\nNULL\n"
    assert await r(execution, "f <- function(x) {\n  x # kept\n}\nf") == (
        "function(x) {\n  x # kept\n}\n"
    )
    assert "Slot" in await r(execution, "setClass('P', representation(a = 'numeric'))\nnew('P')")


async def test_lines_are_right_in_loops_and_branches(execution: Execution) -> None:
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
    told = lines_of_outputs(await run(execution, code, language="r"))
    assert told == [(2, "1 "), (2, "2 "), (4, "two"), (8, "tried"), (11, "[1] 7")]


async def test_a_function_runs_at_the_line_that_calls_it(execution: Execution) -> None:
    code = "f <- function() {\n  cat('f\\n')\n}\nf()"
    assert lines_of_outputs(await run(execution, code, language="r")) == [(4, "f")]


async def test_what_is_kept_is_what_was_written(execution: Execution) -> None:
    """No function and no expression carries our marks with it."""
    code = "f <- function(x) {\n  x\n  x + 1\n}\nlength(body(f))\nlength(quote({\n  1\n  2\n}))"
    assert await r(execution, code) == "[1] 3\n[1] 3\n"


async def test_a_hot_loop_goes_on_without_marks(execution: Execution) -> None:
    code = "x <- 0\nfor (i in 1:50000) {\n  x <- x + 1\n  x <- x * 1\n}\nx"
    chunks = await run(execution, code, language="r")
    assert lines_of_outputs(chunks) == [(6, "[1] 50000")]
    assert len(lines(chunks)) < 6000


async def test_an_error_is_told_with_its_line(execution: Execution) -> None:
    code = "f <- function(a) {\n  a\n  stop('bad: ', a)\n}\n\nf(3)\ncat('not reached')"
    chunks = await run(execution, code, language="r")
    assert lines_of_outputs(chunks) == [(3, "Error in f(3) (line 3): bad: 3")]
    assert await r(execution, "\nf(4)") == "Error in f(4) (line 2): bad: 4\n"
    assert await r(execution, "nothing") == "Error (line 1): object 'nothing' not found\n"


async def test_an_error_without_room_for_it_is_told(execution: Execution) -> None:
    assert "Error (line 2): " in await r(execution, "f <- function(n) f(n + 1)\nf(1)")


async def test_a_syntax_error_is_told_with_its_line(execution: Execution) -> None:
    told = await r(execution, "cat('not run')\ny ] 3")
    assert told.startswith("Error: <block>:2:3: unexpected ']'")


async def test_warnings_and_messages_stand_where_they_arise(execution: Execution) -> None:
    code = "cat('1\\n')\nwarning('2')\nmessage('3')\nf <- function() warning('4')\nf()\ncat('5\\n')"
    assert await r(execution, code) == "1\nWarning: 2\n3\nWarning in f() : 4\n5\n"


async def test_plots_are_shown_as_pictures(execution: Execution) -> None:
    code = "plot(1:3)\nlines(3:1)\ncat('between\\n')\nplot(2)\nx <- 1"
    chunks = await run(execution, code, language="r")
    pictures = [base64.b64decode(str(shown["image/png"])) for shown in displays(chunks)]
    assert [picture[:4] for picture in pictures] == [b"\x89PNG"] * 2
    order = [type(c).__name__ for c in chunks if isinstance(c, Output | Display)]
    assert order == ["Output", "Display", "Display"]
    assert not displays(await run(execution, "1", language="r"))


async def test_grid_plots_are_shown(execution: Execution) -> None:
    assert len(displays(await run(execution, "grid::grid.newpage()", language="r"))) == 1


async def test_a_device_of_the_user_s_own_is_theirs(execution: Execution) -> None:
    code = "png('own.png')\nplot(1)\ninvisible(dev.off())\nfile.exists('own.png')"
    chunks = await run(execution, code, language="r")
    assert lines_of_outputs(chunks) == [(4, "[1] TRUE")]
    assert not displays(chunks)


async def test_readline_asks_with_its_prompt(execution: Execution) -> None:
    code = "x <- readline('Name \"a\\\\b\"? ')\nx"
    chunks = await run(execution, code, language="r", answers=['né \\ "q"'])
    assert [c.prompt for c in chunks if isinstance(c, InputRequest)] == ['Name "a\\b"? ']
    assert lines_of_outputs(chunks) == [(2, '[1] "né \\\\ \\"q\\""')]
    assert await r(execution, "readline()", None) == '[1] ""\n'


@pytest.mark.parametrize("source", ["'stdin'", "stdin()", "file('stdin')"])
async def test_standard_input_asks(execution: Execution, source: str) -> None:
    assert await r(execution, f"readLines({source}, n = 1)", "a") == '[1] "a"\n'


async def test_a_password_is_asked_for_as_one(execution: Execution) -> None:
    code = "x <- getOption('askpass')('Password: ')"
    chunks = await run(execution, code, language="r", answers=["secret"])
    assert [(c.prompt, c.password) for c in chunks if isinstance(c, InputRequest)] == [
        ("Password: ", True)
    ]


async def test_diverted_output_keeps_its_marks_out(execution: Execution) -> None:
    code = "x <- capture.output({\n  print(1)\n  print(2)\n})\nx"
    assert await r(execution, code) == '[1] "[1] 1" "[1] 2"\n'
    code = (
        "con <- file('log', 'w')\nsink(con, type = 'message')\nmessage('a')\nsink(type = 'message')"
    )
    await run(execution, code, language="r")
    assert await r(execution, "close(con)\nreadLines('log')") == '[1] "a"\n'


async def test_connections_may_all_be_closed(execution: Execution) -> None:
    assert await r(execution, "closeAllConnections()\ncat('a\\n')") == "a\n"
    assert await r(execution, "readLines(n = 1)", "b") == '[1] "b"\n'


async def test_no_name_of_ours_is_seen(execution: Execution) -> None:
    assert await r(execution, "ls(all.names = TRUE)\ncommandArgs(TRUE)") == "character(0)\n" * 2
    assert await r(execution, "Sys.getenv('OI_R')") == '[1] ""\n'


async def test_its_temporary_files_go_with_it(
    execution: Execution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    await run(execution, "writeLines('a', tempfile())\nquit('no')", language="r")
    await run(execution, "writeLines('a', tempfile())", language="r")
    assert list(folder.iterdir())
    await execution.close()
    assert not list(folder.iterdir())


async def test_an_interrupt_is_told_with_its_line(execution: Execution) -> None:
    block = Running(execution, "cat('waits\\n')\nSys.sleep(60)", "r")
    await block.seen("waits")
    execution.interrupt()
    assert lines_of_outputs(await block.end())[-1][1] == "Interrupted (line 2)"


async def test_an_interrupt_reaches_a_child(execution: Execution) -> None:
    await run(execution, "x <- 5", language="r")
    block = Running(execution, "cat('waits\\n')\nsystem('sleep 60')\nSys.sleep(60)", "r")
    await block.seen("waits")
    execution.interrupt()
    assert (await block.end())[-2] == ActiveLine(None)
    assert await r(execution, "x") == "[1] 5\n"
