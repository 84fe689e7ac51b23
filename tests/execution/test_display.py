"""Values with a richer form than text are displayed as MIME bundles."""

import base64

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.messages.written import DISPLAY_ID
from tests.execution.runs import displays, lines_of_outputs, output, run, stored, text

TABLE = """\
class Table:
    def __repr__(self): return "Table"
    def _repr_html_(self): return "<table>é</table>"
    def _repr_png_(self): return b"PNG", {"width": 1}
    def _repr_svg_(self): return None
    def _repr_latex_(self): raise ValueError
"""
BUNDLE = {
    "text/html": "<table>é</table>",
    "image/png": base64.b64encode(b"PNG").decode(),
    "text/plain": "Table",
}


async def test_the_last_value_is_displayed(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, f"{TABLE}Table()")
    assert displays(chunks) == [BUNDLE]
    assert text(chunks) == ""


async def test_display_shows_anything_in_its_place(interpreters: Interpreters) -> None:
    code = f"{TABLE}print('before')\ndisplay(Table(), 3)\nprint('after')"
    chunks = await run(interpreters, code)
    assert displays(chunks) == [BUNDLE]
    assert lines_of_outputs(chunks) == [(7, "before"), (8, "3"), (9, "after")]
    kinds = [type(chunk).__name__ for chunk in chunks]
    assert kinds.index("Display") > kinds.index("Output")


async def test_a_whole_bundle(interpreters: Interpreters) -> None:
    code = (
        "class B:\n"
        "    def _repr_mimebundle_(self, include=None, exclude=None):\n"
        "        return {'text/plain': 'b', 'application/x': {'a': [1]}}, {}\n"
        "B()"
    )
    chunks = await run(interpreters, code)
    assert displays(chunks) == [{"text/plain": "b", "application/x": {"a": [1]}}]


async def test_a_bundle_that_fails_is_done_without(interpreters: Interpreters) -> None:
    code = f"{TABLE}Table._repr_mimebundle_ = lambda self: {{}}\nTable()"
    assert displays(await run(interpreters, code)) == [BUNDLE]


async def test_a_class_is_text(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, f"{TABLE}Table")
    assert displays(chunks) == []
    assert "class" in text(chunks)


async def test_a_large_display_arrives_whole_and_in_place(interpreters: Interpreters) -> None:
    code = (
        "class P:\n"
        "    def _repr_png_(self): return b'x' * 5_000_000\n"
        "for i in range(3):\n"
        "    print(i)\n"
        "    display(P())\n"
    )
    chunks = await run(interpreters, code)
    assert [len(str(display["image/png"])) for display in displays(chunks)] == [6_666_668] * 3
    assert text(chunks) == "0\n1\n2\n"


async def test_a_display_that_is_too_large_is_said(interpreters: Interpreters) -> None:
    code = f"{TABLE}Table._repr_html_ = lambda self: 'x' * (40 << 20)\nTable()"
    told = await output(interpreters, code)
    assert told.startswith("Table\n[Too large to be displayed: 40 MB")


async def test_text_that_is_no_text_is_displayed(interpreters: Interpreters) -> None:
    code = f"{TABLE}Table._repr_html_ = lambda self: chr(0xd800)\nTable()"
    assert displays(await run(interpreters, code)) == [{**BUNDLE, "text/html": "?"}]


async def test_a_forked_copy_displays_as_text(interpreters: Interpreters) -> None:
    code = (
        f"{TABLE}import os\nif os.fork() == 0:\n    display(Table())\n    os._exit(0)\nos.wait();"
    )
    assert (await output(interpreters, code)).startswith("Table\n")


async def test_an_object_that_shows_itself(interpreters: Interpreters) -> None:
    code = (
        "class Shy:\n"
        "    def _ipython_display_(self): print('here I am')\n"
        "class Broken(Shy):\n"
        "    def _ipython_display_(self): raise NotImplementedError\n"
        "    def __repr__(self): return 'broken'\n"
        "display(Shy(), Broken())"
    )
    assert await output(interpreters, code) == "here I am\nbroken\n"


async def test_an_object_that_answers_to_every_name_is_text(interpreters: Interpreters) -> None:
    """Nor does it record that it was shown."""
    await run(interpreters, "from unittest.mock import MagicMock, Mock, call\nm = MagicMock()")
    assert (await output(interpreters, "m")).startswith("<MagicMock id=")
    assert await output(interpreters, "m.mock_calls") == "[]\n"
    assert await output(interpreters, "call") == "call\n"
    await run(interpreters, f"{TABLE}m = Mock(spec=Table)")
    assert (await output(interpreters, "m")).startswith("<Mock spec='Table'")
    assert await output(interpreters, "m.mock_calls") == "[]\n"
    code = (
        "class Any:\n"
        "    def __getattr__(self, name): return self.call\n"
        "    def call(self, *a, **k): print('called'); return 'x'\n"
        "    def __repr__(self): return 'any'\n"
        "Any()"
    )
    assert await output(interpreters, code) == "any\n"


async def test_an_object_that_passes_names_on_is_displayed(interpreters: Interpreters) -> None:
    code = (
        f"{TABLE}"
        "class Proxy:\n"
        "    def __getattr__(self, name): return getattr(Table(), name)\n"
        "    def __repr__(self): return 'Table'\n"
        "Proxy()"
    )
    assert displays(await run(interpreters, code)) == [BUNDLE]


async def test_an_object_whose_attributes_fail_is_text(interpreters: Interpreters) -> None:
    code = "class Odd:\n    def __getattr__(self, name): raise KeyError(name)\n"
    code += "    def __repr__(self): return 'odd'\nOdd()"
    assert await output(interpreters, code) == "odd\n"


async def test_a_display_with_an_id_is_replaced(interpreters: Interpreters) -> None:
    code = (
        f"{TABLE}"
        "shown = display(Table(), display_id=True)\n"
        "shown.update({'text/plain': 'b'}, raw=True)\n"
        "display('c', display_id=shown.display_id)"
    )
    first, second, third = displays(await run(interpreters, code))
    name = first[DISPLAY_ID]
    assert first == {**BUNDLE, DISPLAY_ID: name}
    assert second == {"text/plain": "b", DISPLAY_ID: name}
    assert third == {"text/plain": "'c'", DISPLAY_ID: name}


async def test_a_display_in_place_of_all_that_was_shown(interpreters: Interpreters) -> None:
    code = f"{TABLE}print('before')\ndisplay(Table(), clear=True)\nprint('after')"
    chunks = await run(interpreters, code)
    assert stored(chunks)["output"] == "Table\nafter"
    assert stored(chunks)["displays"] == [BUNDLE]
