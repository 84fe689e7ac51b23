"""Values with a richer form than text are displayed as MIME bundles."""

import base64
from pathlib import Path

from oi_daemon.execution import Execution, Workplace
from tests.execution.runs import displays, lines, lines_of_outputs, output, run, text

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


async def test_the_last_value_is_displayed(execution: Execution) -> None:
    chunks = await run(execution, f"{TABLE}Table()")
    assert displays(chunks) == [BUNDLE]
    assert text(chunks) == ""


async def test_display_shows_anything_in_its_place(execution: Execution) -> None:
    code = f"{TABLE}print('before')\ndisplay(Table(), 3)\nprint('after')"
    chunks = await run(execution, code)
    assert displays(chunks) == [BUNDLE]
    assert lines_of_outputs(chunks) == [(7, "before"), (8, "3"), (9, "after")]
    kinds = [type(chunk).__name__ for chunk in chunks]
    assert kinds.index("Display") > kinds.index("Output")


async def test_a_whole_bundle(execution: Execution) -> None:
    code = (
        "class B:\n"
        "    def _repr_mimebundle_(self, include=None, exclude=None):\n"
        "        return {'text/plain': 'b', 'application/x': {'a': [1]}}, {}\n"
        "B()"
    )
    chunks = await run(execution, code)
    assert displays(chunks) == [{"text/plain": "b", "application/x": {"a": [1]}}]


async def test_a_class_is_text(execution: Execution) -> None:
    chunks = await run(execution, f"{TABLE}Table")
    assert displays(chunks) == []
    assert "class" in text(chunks)


async def test_a_large_display_arrives_whole_and_in_place(execution: Execution) -> None:
    code = (
        "class P:\n"
        "    def _repr_png_(self): return b'x' * 5_000_000\n"
        "for i in range(3):\n"
        "    print(i)\n"
        "    display(P())\n"
    )
    chunks = await run(execution, code)
    assert [len(str(display["image/png"])) for display in displays(chunks)] == [6_666_668] * 3
    assert text(chunks) == "0\n1\n2\n"


async def test_a_display_that_is_too_large_is_said(execution: Execution) -> None:
    code = f"{TABLE}Table._repr_html_ = lambda self: 'x' * (40 << 20)\nTable()"
    assert await output(execution, code) == "Table\n[Too large to be displayed.]\n"


async def test_text_that_is_no_text_is_displayed(execution: Execution) -> None:
    code = f"{TABLE}Table._repr_html_ = lambda self: chr(0xd800)\nTable()"
    assert displays(await run(execution, code)) == [{**BUNDLE, "text/html": "?"}]


async def test_a_forked_copy_displays_as_text(execution: Execution) -> None:
    code = (
        f"{TABLE}import os\nif os.fork() == 0:\n    display(Table())\n    os._exit(0)\nos.wait();"
    )
    assert (await output(execution, code)).startswith("Table\n")


FAKE_MATPLOTLIB = {
    "__init__.py": "rcParams = {'backend': 'agg'}\n",
    "pyplot.py": (
        "import importlib\n"
        "import matplotlib\n"
        "from matplotlib import _pylab_helpers as helpers\n"
        "from matplotlib.figure import Figure\n"
        "def get_backend(): return matplotlib.rcParams['backend']\n"
        "def plot(*points): helpers.Gcf.managers.append(helpers.Manager(Figure(points)))\n"
        "def get_fignums(): return helpers.Gcf.managers\n"
        "def close(figure):\n"
        "    managers = helpers.Gcf.managers\n"
        "    managers[:] = [each for each in managers if each.figure is not figure]\n"
        "def show():\n"
        "    name = get_backend().replace('module://', '')\n"
        "    importlib.import_module(name).show()\n"
    ),
    "figure.py": (
        "class Figure:\n"
        "    def __init__(self, points): self.points = points\n"
        "    def __repr__(self): return 'Figure'\n"
        "    def savefig(self, file, format, bbox_inches): file.write(bytes(self.points))\n"
    ),
    "_pylab_helpers.py": (
        "class Manager:\n"
        "    def __init__(self, figure):\n"
        "        self.canvas = self\n"
        "        self.figure = figure\n"
        "class Gcf:\n"
        "    managers = []\n"
        "    @classmethod\n"
        "    def get_all_fig_managers(cls): return [*cls.managers]\n"
        "    @classmethod\n"
        "    def destroy_all(cls): cls.managers.clear()\n"
    ),
    "backends/__init__.py": "",
    "backends/backend_agg.py": "class FigureCanvasAgg: pass\n",
}
"""As much of matplotlib as a backend and its figures see."""


def install_fake_matplotlib(workplace: Workplace) -> None:
    folder = Path(workplace.cwd, "matplotlib")
    (folder / "backends").mkdir(parents=True)
    for name, content in FAKE_MATPLOTLIB.items():
        (folder / name).write_text(content)


async def test_figures_are_displayed_by_show(execution: Execution, workplace: Workplace) -> None:
    install_fake_matplotlib(workplace)
    code = "import matplotlib.pyplot as plt\nplt.plot(1, 2)\nplt.show()\nprint('on')"
    chunks = await run(execution, code)
    picture = base64.b64encode(bytes([1, 2])).decode()
    assert displays(chunks) == [{"image/png": picture, "text/plain": "Figure"}]
    assert lines(chunks) == [1, 2, 3, 4]


async def test_figures_that_were_not_shown_are_displayed_at_the_end(
    execution: Execution, workplace: Workplace
) -> None:
    install_fake_matplotlib(workplace)
    chunks = await run(execution, "import matplotlib.pyplot as plt\nplt.plot(3)\nplt.plot(4)")
    assert len(displays(chunks)) == 2
    assert displays(await run(execution, "1")) == []


async def test_a_figure_is_displayed_once(execution: Execution, workplace: Workplace) -> None:
    install_fake_matplotlib(workplace)
    code = "import matplotlib.pyplot as plt\nplt.plot(3)\nplt.helpers.Gcf.managers[0].figure"
    assert len(displays(await run(execution, code))) == 1


async def test_a_backend_that_the_code_has_chosen_is_kept(
    execution: Execution, workplace: Workplace
) -> None:
    install_fake_matplotlib(workplace)
    code = (
        "import matplotlib\n"
        "matplotlib.rcParams['backend'] = 'svg'\n"
        "import matplotlib.pyplot as plt\n"
        "plt.plot(3)\n"
        "plt.get_backend()"
    )
    chunks = await run(execution, code)
    assert displays(chunks) == []
    assert text(chunks) == "'svg'\n"
