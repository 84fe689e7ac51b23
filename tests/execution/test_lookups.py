"""Variables, documentation and completions, from every language that gives them."""

import asyncio

import pytest

from oi_daemon.execution import lookups
from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.languages import javascript, r
from oi_daemon.execution.lookups import CodePlace
from oi_daemon.protocol.lookups import Completions, VariableEntry
from tests.execution.runs import Running, output

HOSTILE = """
import time, weakref
from unittest.mock import Mock
touched = []
def hang(*given, **named):
    touched.append(given)
    while True: time.sleep(1)
class Meta(type):
    __getattribute__ = __instancecheck__ = __subclasscheck__ = __repr__ = __dir__ = hang
    __name__ = property(hang)
class Hostile(metaclass=Meta):
    __getattribute__ = __repr__ = __str__ = __len__ = __iter__ = __dir__ = hang
    __hash__ = __eq__ = __bool__ = __index__ = __reduce_ex__ = __sizeof__ = hang
    __class__ = __dict__ = __doc__ = __wrapped__ = __func__ = property(hang)
    shape = columns = dtype = _mgr = _df = _implementation = property(hang)
class Items(list):
    __len__ = __iter__ = __getitem__ = __repr__ = hang
class Table(dict):
    __len__ = __iter__ = __getitem__ = __repr__ = items = keys = get = hang
class Text(str):
    __len__ = __iter__ = __getitem__ = __repr__ = __str__ = hang
class Number(int):
    __repr__ = __str__ = __index__ = bit_length = hang
class Lazy:
    def __getattr__(self, name): hang()
    @property
    def fails(self): raise RuntimeError
    def __init__(self): self.x = hostile
class Described:
    def __get__(self, *given): hang()
class Holder:
    described = Described()
hostile = object.__new__(Hostile)
items = list.__new__(Items)
list.extend(items, [1, hostile])
table = Table()
dict.__setitem__(table, "k", hostile)
text, number, lazy, holder = Text("secret"), Number(5), Lazy(), Holder()
mock, proxy = Mock(), weakref.proxy(lazy)
"""


async def variables(
    interpreters: Interpreters, language: str | None = None
) -> dict[str, VariableEntry]:
    """The variables by their name."""
    found = await lookups.variables(interpreters, language, 10_000)
    assert found.unanswered == []
    return {variable.name: variable for variable in found.variables}


async def complete(interpreters: Interpreters, code: str, language: str = "python") -> Completions:
    """What may stand at the end of the code."""
    return await lookups.completions(interpreters, CodePlace(language, code, len(code)))


async def inspect(interpreters: Interpreters, code: str, language: str = "python") -> str:
    """What is known of the name at the end of the code, as plain text."""
    found = await lookups.documentation(interpreters, CodePlace(language, code, len(code)))
    return found.data.get("text/plain", "")


async def test_nothing_of_the_user_s_is_run(interpreters: Interpreters) -> None:
    """Not by listing the variables, nor by completing or inspecting any of them."""
    assert await output(interpreters, HOSTILE) == ""
    found = await variables(interpreters)
    previews = {
        "hostile": "<Hostile>",
        "items": "Items([1, <Hostile>])",
        "table": "Table({'k': <Hostile>})",
        "text": "Text('secret')",
        "number": "Number(5)",
        "lazy": "Lazy(x=<Hostile>)",
        "holder": "<Holder>",
        "Hostile": "class Hostile",
    }
    assert {name: found[name].preview for name in previews} == previews
    assert (found["items"].size, found["table"].size, found["text"].size) == (2, 1, 6)
    for name in found:
        await complete(interpreters, f"{name}.")
        await complete(interpreters, f"{name}['")
        await complete(interpreters, f"{name}.described.")
        assert await inspect(interpreters, name) != ""
        await inspect(interpreters, f"{name}.described")
    assert (await complete(interpreters, "lazy.fa")).matches == ["fails"]
    assert await output(interpreters, "print(touched)") == "[]\n"


async def test_values_are_previewed_as_what_they_are(interpreters: Interpreters) -> None:
    await output(
        interpreters,
        "import collections, datetime, decimal, enum, pathlib, dataclasses\n"
        "whole, real, no, word, raw = 1, 2.5, None, 'a\\nb', b'c'\n"
        "both, many, one, none = [1, 'x'], {1: 2}, (1,), set()\n"
        "moment = datetime.datetime(2024, 2, 3, 4, 5, 6)\n"
        "gap, day = datetime.timedelta(1, 2), datetime.date(2024, 2, 3)\n"
        "exact, place = decimal.Decimal('1.5'), pathlib.Path('/a/b')\n"
        "Color = enum.Enum('Color', 'RED')\nred = Color.RED\n"
        "Point = collections.namedtuple('Point', 'x y')\npoint = Point(1, 2)\n"
        "@dataclasses.dataclass\nclass Person:\n    name: str\n    age: int = 3\n"
        "person, failure = Person('Ada'), ValueError('no')\n"
        "queue, counted = collections.deque([1]), collections.Counter('aab')\n"
        "class Slots:\n    __slots__ = ('a', 'b')\nslots = Slots()\nslots.a = 1\n"
        "def function(a, /, b, c=1, *d, e, f=2, **g): 'It does this.'",
    )
    found = await variables(interpreters)
    previews = {
        "whole": "1",
        "real": "2.5",
        "no": "None",
        "word": r"'a\nb'",
        "raw": "b'c'",
        "both": "[1, 'x']",
        "many": "{1: 2}",
        "one": "(1,)",
        "none": "set()",
        "moment": "2024-02-03 04:05:06",
        "gap": "1 days, 0:00:02",
        "day": "2024-02-03",
        "exact": "1.5",
        "place": "'/a/b'",
        "red": "Color.RED",
        "point": "Point(x=1, y=2)",
        "person": "Person(name='Ada', age=3)",
        "failure": "ValueError('no')",
        "queue": "deque([1])",
        "counted": "Counter({'a': 2, 'b': 1})",
        "slots": "Slots(a=1)",
        "function": "function(a, /, b, c=1, *d, e, f=2, **g)",
        "datetime": "module datetime",
    }
    assert {name: found[name].preview for name in previews} == previews


async def test_data_comes_before_definitions(interpreters: Interpreters) -> None:
    await output(interpreters, "import os\ndef f(): pass\nb = 1\na = 2")
    assert [*await variables(interpreters)] == ["b", "a", "os", "f"]
    first = await lookups.variables(interpreters, "python", 1)
    assert ([variable.name for variable in first.variables], first.more) == (["b"], 3)


async def test_previews_are_short_whatever_the_value(interpreters: Interpreters) -> None:
    await output(
        interpreters,
        "own = []\nown.append(own)\nmap = {}\nmap['me'] = map\n"
        "keys = dict.fromkeys(range(10**6))\nhuge = 1 << 10**7\nlong = 'x' * 10**8\n"
        "deep = []\nfor _ in range(10**5): deep = [deep]\n"
        "wide = [['y' * 1000] * 1000] * 1000\nfar = range(10**5000)",
    )
    found = await variables(interpreters)
    assert all(0 < len(variable.preview) <= 120 for variable in found.values())
    assert found["own"].preview == "[[[[…]]]]"
    assert found["keys"].size == 10**6
    assert found["huge"].preview == "an integer of 10,000,001 bits"


async def test_odd_names_are_listed(interpreters: Interpreters) -> None:
    names = ["two\nlines", 'quo"te\\', "über", "\x1b[2J"]
    await output(interpreters, f"globals().update(dict.fromkeys({names}))\nglobals()[5] = 6")
    await output(interpreters, "globals()['lone \\ud800'] = 'a\\ud800'")
    assert {*await variables(interpreters)} == {*names, "lone ?"}


async def test_arrays_and_tables_tell_their_shape_and_columns(interpreters: Interpreters) -> None:
    pytest.importorskip("pandas")
    await output(
        interpreters,
        "import numpy as np, pandas as pd\n"
        "class Derived(pd.DataFrame):\n    shape = columns = property(lambda self: 1 / 0)\n"
        "grid, flags = np.zeros((1000, 3)), np.array([True])\n"
        "mixed, alone = np.array([None, 'x'], dtype=object), np.float64(1.5)\n"
        "table = pd.DataFrame({'a': [1, 2], 'b': ['x', 'y'], 'c': pd.Categorical(['p', 'q']),\n"
        "    'd': pd.to_datetime(['2020', '2021']), 'e': pd.array([1, None], dtype='Int64')})\n"
        "derived, column, labels = Derived({'q': [1]}), table['a'], table.columns\n"
        "levels = pd.DataFrame(np.eye(2), columns=pd.MultiIndex.from_tuples([(1, 'x'), (2, 'y')]))",
    )
    found = await variables(interpreters)
    grid, table = found["grid"], found["table"]
    assert (grid.type, grid.shape, grid.bytes) == ("ndarray", [1000, 3], 24000)
    assert grid.preview == "1000×3 float64: 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, …"
    assert found["flags"].preview == "1 bool: True"
    assert found["mixed"].preview == "2 object: None, 'x'"
    assert found["alone"].preview == "1.5"
    assert (table.type, table.shape, table.preview) == ("DataFrame", [2, 5], "2×5: a, b, c, d, e")
    kinds = {column.name: column.type for column in table.columns or ()}
    assert kinds["a"] == "int64"
    assert (kinds["c"], kinds["e"]) == ("category", "Int64")
    assert kinds["d"].startswith("datetime64[")
    assert found["derived"].shape == [1, 1]
    assert (found["column"].shape, found["labels"].shape) == ([2], [5])
    assert [column.name for column in found["levels"].columns or ()] == ["(1, 'x')", "(2, 'y')"]
    assert (await complete(interpreters, "table['")).matches == ["a", "b", "c", "d", "e"]
    assert "c" in (await complete(interpreters, "table.")).matches


@pytest.mark.parametrize("wait", ["time.sleep(60)", "while True: pass"])
async def test_python_answers_while_a_block_runs(interpreters: Interpreters, wait: str) -> None:
    block = Running(interpreters, f"import time\nx = 5\nprint('runs')\n{wait}")
    await block.seen("runs")
    found = await variables(interpreters)
    assert found["x"].preview == "5"
    assert (await complete(interpreters, "time.sle")).matches == ["sleep"]
    interpreters.interrupt()
    await block.end()


async def test_many_lookups_at_once_are_all_answered(interpreters: Interpreters) -> None:
    block = Running(interpreters, "x = 0\nprint('runs')\nwhile True: x += 1")
    await block.seen("runs")
    found = await asyncio.gather(*(variables(interpreters) for _ in range(50)))
    assert all("x" in each for each in found)
    interpreters.interrupt()
    await block.end()


async def test_variables_that_change_meanwhile_are_listed(interpreters: Interpreters) -> None:
    block = Running(
        interpreters,
        "import itertools\nd, s = {}, set()\nprint('runs')\n"
        "for i in itertools.count():\n"
        "    globals()[f'v{i % 500}'] = [i]\n    globals().pop(f'v{(i + 250) % 500}', None)\n"
        "    d[i % 99] = i\n    d.pop((i + 50) % 99, None)\n    s ^= {i % 7}",
    )
    await block.seen("runs")
    for _ in range(20):
        assert {"d", "s"} <= {*await variables(interpreters)}
    interpreters.interrupt()
    await block.end()


async def test_a_standby_answers_after_it_has_taken_over(interpreters: Interpreters) -> None:
    await output(interpreters, "import os\nx = 5")
    await output(interpreters, "os._exit(1)")
    assert (await variables(interpreters))["x"].preview == "5"


async def test_a_fork_of_the_user_s_does_not_answer(interpreters: Interpreters) -> None:
    block = Running(
        interpreters,
        "import os, time\nx = 5\nif os.fork() == 0:\n    x = 6\n    time.sleep(60)\n"
        "print('forked')\ntime.sleep(60)",
    )
    await block.seen("forked")
    for _ in range(5):
        assert (await variables(interpreters))["x"].preview == "5"
    interpreters.interrupt()
    await block.end()


async def test_without_a_process_there_is_nothing(interpreters: Interpreters) -> None:
    assert await variables(interpreters) == {}
    assert await variables(interpreters, "python") == {}
    assert await variables(interpreters, "no such language") == {}
    assert await complete(interpreters, "pri") == Completions(matches=[], kinds=[], start=3, end=3)
    assert await inspect(interpreters, "print") == ""


@pytest.mark.parametrize(
    ("code", "matches", "kinds"),
    [
        ("lon", ["long_name"], ["variable"]),
        ("x = LONG", ["long_name"], ["variable"]),
        ("thing.in", ["inner"], ["variable"]),
        ("thing.inner['k'].uppe", ["upper"], ["function"]),
        ("thing.inner['", ["k", "other key"], ["key", "key"]),
        ('thing.inner["ot', ["other key"], ["key"]),
        ("work(am", ["amount="], ["parameter"]),
        ("work(1, am", ["amount="], ["parameter"]),
        ("thing.method(dep", ["depth="], ["parameter"]),
        ("Thing(si", ["size="], ["parameter"]),
        ("os.path.joi", ["join"], ["function"]),
        ("import coll", ["collections"], ["module"]),
        ("from os import getpi", ["getpid"], ["function"]),
        ("from os.pa", ["path"], ["module"]),
        ("nonl", ["nonlocal"], ["keyword"]),
        ("thing._pri", ["_private"], ["variable"]),
        ("# lo", [], []),
        ("'lo", [], []),
        ("nothing.here", [], []),
        ("f().", [], []),
        ("x.1", [], []),
    ],
)
async def test_completes(
    interpreters: Interpreters, code: str, matches: list[str], kinds: list[str]
) -> None:
    await output(
        interpreters,
        "import os\nlong_name = 1\ndef work(amount, rate=1): pass\n"
        "class Thing:\n    def __init__(self, size=1):\n"
        "        self.inner = {'k': 'text', 'other key': 1}\n        self._private = 1\n"
        "    def method(self, depth): pass\nthing = Thing()",
    )
    found = await complete(interpreters, code)
    assert (found.matches, found.kinds) == (matches, kinds)
    assert found.end == len(code)


async def test_a_match_replaces_what_is_typed_of_it(interpreters: Interpreters) -> None:
    await output(interpreters, "value = 'x'")
    code = f"{'🙂' * 5000}\nvalue.isal + 1"
    found = await lookups.completions(interpreters, CodePlace("python", code, len(code) - 4))
    assert found.matches == ["isalnum", "isalpha"]
    assert code[found.start : found.end] == "isal"


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("work", "work(amount, rate=1)\n\nDoes it.\n\nTwice."),
        ("work(1, ", "work(amount, rate=1)\n\nDoes it.\n\nTwice."),
        ("wrapped", "wrapped(amount, rate=1)\n\nDoes it.\n\nTwice."),
        ("number", "number: int = 5"),
        ("Thing", "class Thing(size=1)\n\nA thing."),
        ("thing.go", "go(self, way)"),
        ("len", "len(obj, /)\n\nReturn the number of items in a container."),
        ("nothing", ""),
        ("", ""),
    ],
)
async def test_inspects(interpreters: Interpreters, code: str, known: str) -> None:
    await output(
        interpreters,
        "import functools\ndef work(amount, rate=1):\n    '''Does it.\n\n      Twice.\n    '''\n"
        "class Thing:\n    'A thing.'\n    def __init__(self, size=1): pass\n\n"
        "    def go(self, way): pass\nthing, number = Thing(), 5\n"
        "@functools.wraps(work)\ndef wrapped(*given): pass",
    )
    text, _, place = (await inspect(interpreters, code)).partition("\n\n<block 1>:")
    assert text == known
    assert place == {"go": "11", "wo": "2", "wr": "2"}.get(text[:2], "")


HOSTILE_JAVASCRIPT = """
let touched = 0;
const hang = () => { touched += 1; for (;;); };
const traps = { get: hang, ownKeys: hang, getPrototypeOf: hang, has: hang, apply: hang };
const proxy = new Proxy({}, traps), callable = new Proxy(function () {}, traps);
const hostile = { get x() { return hang(); }, get [Symbol.toStringTag]() { return hang(); } };
Object.assign(hostile, { toString: hang, toJSON: hang, valueOf: hang, y: 1 });
const child = Object.create(proxy); child.z = 1;
const failure = new Error('no');
for (const name of ['stack', 'message', 'name'])
  Object.defineProperty(failure, name, { get: hang });
Object.defineProperty(globalThis, 'lazy', { get: hang });
Map.prototype.entries = BigInt.prototype.toJSON = hang;
const map = new Map([[1, proxy]]);
"""

javascript_only = pytest.mark.skipif(bool(javascript.missing()), reason="no Node.js here")


@javascript_only
async def test_nothing_of_the_user_s_is_run_in_javascript(interpreters: Interpreters) -> None:
    assert await output(interpreters, HOSTILE_JAVASCRIPT, language="javascript") == ""
    found = await variables(interpreters)
    previews = {
        "proxy": "Proxy",
        "callable": "Proxy",
        "hostile": "{x: …, toString: hang(), toJSON: hang(), valueOf: hang(), y: 1}",
        "child": "{z: 1}",
        "failure": 'Error: ""',
        "lazy": "…",
        "map": "Map {1 => Proxy}",
    }
    assert {name: found[name].preview for name in previews} == previews
    for name in found:
        await complete(interpreters, f"{name}.", "javascript")
        await inspect(interpreters, name, "javascript")
        await inspect(interpreters, f"{name}.x", "javascript")
    assert (await variables(interpreters))["touched"].preview == "0"


@javascript_only
async def test_values_of_javascript_are_previewed(interpreters: Interpreters) -> None:
    await output(
        interpreters,
        "var whole = 5; let word = 'a\\nb', list = [1, 'x', , { k: 1 }], none = null, empty\n"
        "const large = 10n ** 100000n, bytes = new Uint8Array(3), self = {}; self.me = self\n"
        "class Shape { constructor(size) { this.size = size; } }\n"
        "const shape = new Shape(2), unique = new Set([1]), day = new Date(0)\n"
        "function add(a, b = 1, ...rest) { return a; }\nconst twice = (x) => 2 * x",
        language="javascript",
    )
    found = await variables(interpreters, "js")
    previews = {
        "whole": "5",
        "word": r'"a\nb"',
        "list": '[1, "x", empty, {k: 1}]',
        "none": "null",
        "empty": "undefined",
        "large": "a large integer",
        "bytes": "Uint8Array [0, 0, 0]",
        "self": "{me: {me: {…}}}",
        "shape": "Shape {size: 2}",
        "unique": "Set {1}",
        "day": "1970-01-01T00:00:00.000Z",
        "Shape": "class Shape",
        "add": "add(a, b = 1, ...rest)",
        "twice": "twice(x)",
    }
    assert {name: found[name].preview for name in previews} == previews
    assert (found["list"].size, found["shape"].type) == (4, "Shape")
    assert not any(name.startswith("__oi") for name in found)


@javascript_only
@pytest.mark.parametrize(
    "wait", ["for (;;);", "await new Promise(() => setInterval(() => {}, 1000))"]
)
async def test_javascript_answers_while_a_block_runs(interpreters: Interpreters, wait: str) -> None:
    block = Running(interpreters, f"let x = 5;\nconsole.log('runs');\n{wait}", "javascript")
    await block.seen("runs")
    assert (await variables(interpreters))["x"].preview == "5"
    interpreters.interrupt()
    await block.end()


@javascript_only
@pytest.mark.parametrize(
    ("code", "matches"),
    [
        ("long", ["longName"]),
        ("thing.in", ["inner"]),
        ("thing?.inner['k'].toUpp", ["toUpperCase"]),
        ("Math.ma", ["max"]),
        ("deb", ["debugger"]),
        ("nothing.here", []),
    ],
)
async def test_completes_javascript(
    interpreters: Interpreters, code: str, matches: list[str]
) -> None:
    declared = "const longName = 1; let thing = { inner: { k: 'text' } };"
    await output(interpreters, declared, language="javascript")
    found = await complete(interpreters, code, "javascript")
    assert (found.matches, found.end) == (matches, len(code))


@javascript_only
async def test_inspects_javascript(interpreters: Interpreters) -> None:
    code = "function add(a, b = 1) { return a + b; }\nconst thing = { k: 1 };"
    await output(interpreters, code, language="javascript")
    assert await inspect(interpreters, "add", "javascript") == "add(a, b = 1)"
    assert await inspect(interpreters, "add(1, ", "javascript") == "add(a, b = 1)"
    assert await inspect(interpreters, "thing", "javascript") == "thing: Object = {k: 1}"
    assert await inspect(interpreters, "nothing", "javascript") == ""


HOSTILE_R = """
hang <- function(...) repeat Sys.sleep(1)
hostile <- structure(list(k = 1), class = "hostile")
for (name in c("print", "format", "length", "names", "dim", "$", "[[", "[", "as.character", "str",
    "levels", "as.list", "unique", "toString", "summary", ".DollarNames"))
  assign(paste0(name, ".hostile"), hang)
delayedAssign("lazy", hang())
makeActiveBinding("active", hang, globalenv())
vapply <- enc2utf8 <- encodeString <- hang
"""

r_only = pytest.mark.skipif(bool(r.missing()), reason="no R here")


@r_only
async def test_nothing_of_the_user_s_is_run_in_r(interpreters: Interpreters) -> None:
    """No method, no promise, no active binding, and no function in the place of one of base."""
    await output(interpreters, HOSTILE_R, language="r")
    found = await variables(interpreters)
    previews = {"hostile": "list(k = 1)", "lazy": "…", "active": "…", "hang": "function(...)"}
    assert {name: found[name].preview for name in previews} == previews
    assert found["hostile"].type == "hostile"
    for name in ("hostile", "lazy", "active"):
        await complete(interpreters, f"{name}$", "r")
        await inspect(interpreters, name, "r")
    assert (await complete(interpreters, "hostile$", "r")).matches == ["k"]
    assert "hang" in await variables(interpreters)


@r_only
async def test_values_of_r_are_previewed(interpreters: Interpreters) -> None:
    await output(
        interpreters,
        "whole <- 5L; real <- 2.5; word <- 'it\"s'; many <- 1:10; named <- c(a = 1, b = 2)\n"
        "nested <- list(x = 1, y = list(z = 'in')); nothing <- NULL; missing <- NA\n"
        "grid <- matrix(1:6, 2); levels <- factor(c('u', 'v', 'u')); code <- quote(a + b)\n"
        "table <- data.frame(p = 1:3, q = c('a', 'b', 'c'))\nadd <- function(a, b = 2, ...) a",
        language="r",
    )
    found = await variables(interpreters, "r")
    previews = {
        "whole": "5",
        "real": "2.5",
        "word": r'"it\"s"',
        "many": "c(1, 2, 3, 4, 5, 6, 7, 8, …)",
        "named": "c(a = 1, b = 2)",
        "nested": 'list(x = 1, y = list(z = "in"))',
        "nothing": "NULL",
        "missing": "NA",
        "levels": 'c("u", "v", "u")',
        "code": "a + b",
        "table": "p, q",
        "add": "function(a, b, ...)",
    }
    assert {name: found[name].preview for name in previews} == previews
    assert (found["grid"].shape, found["table"].shape) == ([2, 3], [3, 2])
    columns = [(column.name, column.type) for column in found["table"].columns or ()]
    assert columns == [("p", "integer"), ("q", "character")]
    assert (await complete(interpreters, "nested$y$", "r")).matches == ["z"]
    assert (await complete(interpreters, "add(", "r")).matches[:2] == ["a =", "b ="]
    assert "median" in (await complete(interpreters, "medi", "r")).matches
    assert await inspect(interpreters, "add(1, ", "r") == "add(a, b, ...)"
    assert await inspect(interpreters, "real", "r") == "real: numeric = 2.5"


@r_only
async def test_r_does_not_answer_while_a_block_runs(interpreters: Interpreters) -> None:
    block = Running(interpreters, "x <- 5\ncat('runs')\nSys.sleep(60)", "r")
    await block.seen("runs")
    found = await lookups.variables(interpreters, None, 100)
    assert (found.variables, found.unanswered) == ([], ["r"])
    interpreters.interrupt()
    await block.end()
    assert (await variables(interpreters))["x"].preview == "5"


async def shell_variables(interpreters: Interpreters) -> dict[str, tuple[str, str, int | None]]:
    """The shell's variables by their name: type, preview and size."""
    found = await variables(interpreters, "shell")
    return {name: (each.type, each.preview, each.size) for name, each in found.items()}


async def test_variables_of_the_shell(interpreters: Interpreters) -> None:
    await output(
        interpreters,
        "word='say \"hi\"'; declare -i whole=5; list=(a 'b c' [7]=d); declare -A map=([k]=v)\n"
        "lines=$'one\\ntwo'; export OURS=1; empty=; greet() { echo hi; }",
        language="shell",
    )
    found = await shell_variables(interpreters)
    assert found == {
        "word": ("string", 'say "hi"', 8),
        "whole": ("integer", "5", None),
        "list": ("array", '([0]="a" [1]="b c" [7]="d")', 3),
        "map": ("map", '([k]="v" )', 1),
        "lines": ("string", found["lines"][1], found["lines"][2]),
        "OURS": ("string", "1", 1),
        "empty": ("string", "", 0),
        "greet": ("function", "greet()", None),
    }


async def test_a_lookup_changes_nothing_in_the_shell(interpreters: Interpreters) -> None:
    """Nor does it run a function that has the name of a builtin."""
    code = "declare() { echo touched; }; compgen() { echo touched; }; type() { echo touched; }"
    await output(interpreters, f"{code}; trap 'echo failed' ERR; x=5", language="shell")
    before = await output(interpreters, "set | grep -v ^__oi", language="shell")
    for _ in range(3):
        assert (await shell_variables(interpreters))["x"] == ("string", "5", 1)
        assert "touched" not in await inspect(interpreters, "x", "shell")
        assert (await complete(interpreters, "echo $HOM", "shell")).matches[0].startswith("HOM")
    after = await output(interpreters, "set | grep -v ^__oi", language="shell")
    stable = [
        line for line in before.splitlines() if not line.startswith(("BASH", "RANDOM", "SEC"))
    ]
    assert [line for line in stable if line not in after.splitlines()] in ([], ["_=x=5"])


async def test_the_shell_does_not_answer_while_a_block_runs(interpreters: Interpreters) -> None:
    block = Running(interpreters, "x=5\necho runs\nsleep 60", "shell")
    await block.seen("runs")
    found = await lookups.variables(interpreters, None, 100)
    assert (found.variables, found.unanswered) == ([], ["shell"])
    interpreters.interrupt()
    await block.end()
    assert (await shell_variables(interpreters))["x"] == ("string", "5", 1)


@pytest.mark.parametrize(
    ("code", "match", "kind"),
    [
        ("echo $long", "longName", "variable"),
        ("echo ${long", "longName", "variable"),
        ("greetin", "greetings", "command"),
        ("x=1; unali", "unalias", "command"),
        ("cat da", "data.txt", "file"),
        ("cat folder/in", "folder/inner", "file"),
    ],
)
async def test_completes_in_the_shell(
    interpreters: Interpreters, code: str, match: str, kind: str
) -> None:
    made = "longName=1; greetings() { :; }; touch data.txt; mkdir folder; touch folder/inner"
    await output(interpreters, made, language="shell")
    found = await complete(interpreters, code, "shell")
    assert (match, kind) in zip(found.matches, found.kinds, strict=True)
    assert match.startswith(code[found.start : found.end])


async def test_inspects_in_the_shell(interpreters: Interpreters) -> None:
    await output(interpreters, "x=5; greet() { echo hi; }", language="shell")
    assert 'x="5"' in await inspect(interpreters, "echo $x", "shell")
    assert "echo hi" in await inspect(interpreters, "greet", "shell")
    assert "builtin" in await inspect(interpreters, "unalias", "shell")
    assert await inspect(interpreters, "no_such_thing", "shell") == ""
