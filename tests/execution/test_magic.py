"""Lines that are no Python: `!command`, `%magic`, `name?` and prompts."""

import sys

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from tests.execution.runs import displays, lines_of_outputs, output, run

NO_IPYTHON = "import sys; sys.modules['IPython.core.interactiveshell'] = None"


async def test_commands_stand_between_statements(interpreters: Interpreters) -> None:
    code = "for i in range(2):\n    !echo {i}; echo more\nprint('end')"
    pairs = lines_of_outputs(await run(interpreters, code))
    assert [line for _, line in pairs] == ["0", "more", "1", "more", "end"]


@pytest.mark.parametrize(
    ("command", "written"),
    [
        ("echo {name} {name.upper()} $name {len(name)}", "a.b A.B a.b 3"),
        ("echo $HOME_OF_NOBODY ${name} '$(name)'", " $(name)"),
        ("echo 1 2 | awk '{print $2}'", "2"),
        ("echo 1 2 | awk '{print}'", "1 2"),
        ("echo {nothing} '{1,2}' {name +}", "{nothing} {1,2} {name +}"),
    ],
)
async def test_pythons_values_in_a_command(
    interpreters: Interpreters, command: str, written: str
) -> None:
    told = await output(interpreters, f"name = 'a.b'\n!{command}")
    assert told.strip() == written.strip()


async def test_a_functions_own_values_in_a_command(interpreters: Interpreters) -> None:
    assert await output(interpreters, "def f(n):\n    !echo {n}\nf(3)") == "3\n"


async def test_what_a_command_writes_as_a_list(interpreters: Interpreters) -> None:
    code = "a = !echo 1; echo 2; echo told >&2\nb, c = !printf '3\\n4'\nprint(a, b, c)"
    assert await output(interpreters, code) == "told\n['1', '2'] 3 4\n"


async def test_a_bash_cell(interpreters: Interpreters) -> None:
    told = await output(interpreters, '%%bash\nx=$(echo it\\\'s)\necho "$x bash"\nexit 3')
    assert told == "it's bash\nbash ended with code 3.\n"


async def test_cd_lasts(interpreters: Interpreters, workplace: Workplace) -> None:
    await run(interpreters, "import os; os.mkdir('inner folder')")
    where = f"{workplace.cwd}/inner folder"
    assert await output(interpreters, "%cd 'inner folder'") == f"{where}\n"
    assert await output(interpreters, "!pwd") == f"{where}\n"


async def test_pip_is_the_pip_of_this_python(interpreters: Interpreters) -> None:
    told = await output(interpreters, "%pip --version")
    assert sys.prefix in told


async def test_matplotlib_inline_displays_as_always(interpreters: Interpreters, fonts: str) -> None:
    code = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1]);"
    assert len(displays(await run(interpreters, code))) == 1


async def test_magics_of_ipython(interpreters: Interpreters) -> None:
    assert "per loop" in await output(interpreters, "%timeit -n 1 -r 1 1 + 1")
    timed = await output(interpreters, "%%time\nx = 1\n!echo {x}\nprint('y')")
    assert timed.startswith("1\ny\n")
    assert "Wall time" in timed
    assert await output(interpreters, "x + 1") == "2\n"


async def test_magics_that_ipython_lacks_are_told(interpreters: Interpreters) -> None:
    assert "`%nothing` not found" in await output(interpreters, "%nothing here")


async def test_without_ipython_it_is_said_how_to_get_it(interpreters: Interpreters) -> None:
    await run(interpreters, NO_IPYTHON)
    told = await output(interpreters, "%timeit 1 + 1")
    assert "`%timeit 1 + 1` needs IPython" in told
    assert "%pip install ipython" in told
    assert await output(interpreters, "a = !echo 1\n!echo {a[0]}") == "1\n"


async def test_python_that_only_looks_like_magic_is_left_alone(interpreters: Interpreters) -> None:
    code = "x = '''\n%cd nowhere\n!not this\n'''\ny = 7 \\\n%4\nprint(x, y)"
    assert await output(interpreters, code) == "\n%cd nowhere\n!not this\n 3\n"


async def test_a_mistake_besides_is_pythons_own(interpreters: Interpreters) -> None:
    assert "SyntaxError: '(' was never closed" in await output(interpreters, "print('%d!' % (3")


SESSION = """\
>>> x = 2
>>> for i in range(x):
...     print(i)
...
0
1
>>> s = '''a
...   b'''
>>> print(s)
a
  b
>>> x
2
"""
IPYTHON_SESSION = """\
In [1]: def f():
   ...:     print("f")
   ...:

In [2]: f()
f

In [3]: 3
Out[3]: 3
"""


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (SESSION, [(3, "0"), (3, "1"), (9, "a"), (9, "  b"), (12, "2")]),
        (SESSION.replace("\n", "\r\n"), [(3, "0"), (3, "1"), (9, "a"), (9, "  b"), (12, "2")]),
        ("\n    >>> print(1)\n    1\n    >>> print(2)\n", [(2, "1"), (4, "2")]),
        (IPYTHON_SESSION, [(2, "f"), (8, "3")]),
        ("In [7]:\nx = 1\nprint(x)", [(3, "1")]),
        ("In [7]: x = 1\nprint(x)", [(2, "1")]),
        (">>> !echo {1 + x}\n", [(1, "2")]),
        ("x = 1\nprint('''\n>>> x\n''')", [(2, ""), (2, ">>> x"), (2, "")]),
    ],
)
async def test_a_pasted_session_runs(
    interpreters: Interpreters, code: str, told: list[tuple[int, str]]
) -> None:
    """Its prompts are removed, and what it wrote; the active lines are those of the paste."""
    await run(interpreters, "x = 1")
    assert lines_of_outputs(await run(interpreters, code)) == told


async def test_an_error_in_a_pasted_session_points_to_its_place(interpreters: Interpreters) -> None:
    told = await output(interpreters, ">>> x = 1\n>>> x + nothing\n")
    assert "line 2, in <module>\n    x + nothing\n" in told


async def test_a_question_mark_shows_documentation(interpreters: Interpreters) -> None:
    await run(interpreters, "def f(a, b=1):\n    'Does f.'\n    return a")
    for question in ("f?", "?f", "if True:\n    ?f", "x = 1\nf?"):
        told = await output(interpreters, question)
        assert "f(a, b=1)" in told
        assert "Does f." in told
        assert "return a" not in told


async def test_two_question_marks_show_the_source(interpreters: Interpreters) -> None:
    source = "def f(a, b=1):\n    'Does f.'\n    return a\n"
    await run(interpreters, source)
    for question in ("f??", "?? f"):
        assert source in await output(interpreters, question)
    assert "Return the number of items" in await output(interpreters, "len??")


async def test_a_question_about_a_value_shows_its_type_and_text(interpreters: Interpreters) -> None:
    told = await output(interpreters, "x = [1, 2]\nx?")
    assert "Type:        list\nString form: [1, 2]\nLength:      2\n" in told


async def test_a_question_about_nothing_is_answered(interpreters: Interpreters) -> None:
    assert await output(interpreters, "nothing.at.all?") == "Object `nothing.at.all` not found.\n"


async def test_lines_keep_their_numbers_behind_lines_that_are_no_python(
    interpreters: Interpreters,
) -> None:
    """Also where the code has characters at which only `str.splitlines` ends a line."""
    code = "x = '\x0c\u2028'\n!echo a\nlen?\nprint(len(x))"
    told = lines_of_outputs(await run(interpreters, code))
    assert (told[0], told[-1]) == ((2, "a"), (4, "2"))


async def test_whos_lists_the_variables(interpreters: Interpreters) -> None:
    """In words for the model, which need not print each of them."""
    await output(interpreters, "import os\nx, word, items = 5, 'text', [1, 2]\ndef f(): pass")
    assert await output(interpreters, "%whos") == (
        "x      int   5\nword   str   'text'\nitems  list  2 items: [1, 2]\n"
        "Modules, functions and classes: os, f\n"
    )
    assert await output(interpreters, "for _ in range(2):\n    %who w* none") == (
        "word  str  'text'\n" * 2
    )


async def test_whos_tells_the_columns_of_a_table(interpreters: Interpreters) -> None:
    pytest.importorskip("pandas")
    await output(interpreters, "import pandas as pd\ndf = pd.DataFrame({'a': [1], 'b': [2.5]})")
    told = await output(interpreters, "%whos df")
    assert told == "df  DataFrame  1 rows × 2 columns, 16 bytes: a (int64), b (float64)\n"
