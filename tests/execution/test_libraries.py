"""What well-known libraries show is displayed, by the libraries themselves."""

import base64
import sys
from dataclasses import replace

import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from oi_daemon.messages import Display
from oi_daemon.messages.written import DISPLAY_ID
from tests.execution.runs import displays, lines, output, run, stored, text

FIGURE = "<Figure size 640x480 with 1 Axes>"
PYPLOT = "import matplotlib.pyplot as plt\n"


@pytest.fixture
def workplace(workplace: Workplace) -> Workplace:
    """The code runs under this Python, which has the libraries."""
    return replace(workplace, python=sys.executable)


@pytest.fixture(autouse=True)
def own_backend(fonts: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own backend, for their own programs."""
    monkeypatch.setenv("MPLBACKEND", "TkAgg")


def is_png(display: dict[str, object]) -> bool:
    return base64.b64decode(str(display["image/png"])).startswith(b"\x89PNG")


async def test_show_displays_figures_in_their_place(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, f"{PYPLOT}plt.plot([1, 2])\nplt.show()\nprint('on')")
    (figure,) = displays(chunks)
    assert is_png(figure)
    assert set(figure) == {"image/png", "text/plain"}
    assert figure["text/plain"] == FIGURE
    assert lines(chunks) == [1, 2, 3, 4]
    assert stored(chunks)["output"] == f"{FIGURE}\non"


async def test_figures_left_open_are_displayed_at_the_end_once(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, f"{PYPLOT}plt.plot([3])\nplt.figure()\nplt.plot([4])")
    assert [figure["text/plain"] for figure in displays(chunks)] == [FIGURE] * 2
    assert displays(await run(interpreters, "1")) == []


async def test_figures_are_displayed_where_the_block_fails(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, f"{PYPLOT}plt.plot([3])\n1 / 0")
    assert len(displays(chunks)) == 1
    assert "ZeroDivisionError" in text(chunks)


@pytest.mark.parametrize("shown", ["figure", "display(figure)", "figure.show()"])
async def test_a_figure_is_displayed_once(interpreters: Interpreters, shown: str) -> None:
    code = f"{PYPLOT}figure = plt.figure()\nfigure.add_subplot().plot([3])\n{shown}"
    assert [each["text/plain"] for each in displays(await run(interpreters, code))] == [FIGURE]


async def test_what_is_drawn_in_a_loop_moves(interpreters: Interpreters) -> None:
    code = (
        f"{PYPLOT}for i in range(3):\n"
        "    plt.plot([i])\n"
        "    plt.pause(0.01)\n"
        "plt.show()\n"
        "plt.plot([3])"
    )
    chunks = await run(interpreters, code)
    assert len(displays(chunks)) == 5
    assert len({figure.get(DISPLAY_ID) for figure in displays(chunks)}) == 2
    kept = stored(chunks)["displays"]
    assert isinstance(kept, list)
    assert len(kept) == 2


async def test_a_backend_that_the_code_has_chosen_is_kept(interpreters: Interpreters) -> None:
    code = f"import matplotlib\nmatplotlib.use('svg')\n{PYPLOT}plt.plot([3]);\nplt.get_backend()"
    chunks = await run(interpreters, code)
    assert displays(chunks) == []
    assert text(chunks) == "'svg'\n"


async def test_agg_is_chosen_where_nothing_could_be_shown(interpreters: Interpreters) -> None:
    """Here something can: figures are displayed all the same, and saved as ever."""
    code = f"import matplotlib\nmatplotlib.use('Agg')\n{PYPLOT}plt.plot([3])\nplt.savefig('a.png')"
    assert len(displays(await run(interpreters, code))) == 1
    assert len(displays(await run(interpreters, "plt.plot([3])\nplt.show()"))) == 1
    assert await output(interpreters, "open('a.png', 'rb').read()[1:4]") == "b'PNG'\n"


async def test_tables_of_pandas(interpreters: Interpreters) -> None:
    chunks = await run(interpreters, "import pandas\npandas.DataFrame({'a': [1, 2]})")
    (table,) = displays(chunks)
    assert table["text/plain"] == "   a\n0  1\n1  2"
    assert "<table" in str(table["text/html"])


@pytest.mark.parametrize("shown", ["figure", "figure.show()", "display(figure)"])
async def test_plotly_is_a_page_that_needs_no_network(
    interpreters: Interpreters, shown: str
) -> None:
    code = f"import plotly.graph_objects as g\nfigure = g.Figure(g.Bar(y=[7, 8]))\n{shown}"
    (figure,) = displays(await run(interpreters, code))
    page = str(figure["text/html"])
    assert len(page) > 1_000_000
    assert "<script src=" not in page
    data = figure["application/vnd.plotly.v1+json"]
    assert isinstance(data, dict)
    assert data["data"][0]["type"] == "bar"
    assert figure["text/plain"] == "<Plotly figure: bar>"


@pytest.mark.parametrize("shown", ["image", "image.show()"])
async def test_pictures_of_pillow(interpreters: Interpreters, shown: str) -> None:
    code = f"from PIL import Image\nimage = Image.new('RGB', (30, 20))\n{shown}"
    (picture,) = displays(await run(interpreters, code))
    assert is_png(picture)
    assert set(picture) == {"image/png", "text/plain"}


async def test_ipythons_display(interpreters: Interpreters) -> None:
    code = (
        "from IPython.display import HTML, Image, Markdown, display\n"
        "display(HTML('<b>1</b>'), Markdown('# 1'))\n"
        "Image(data=b'\\x89PNG\\r\\n\\x1a\\n')"
    )
    page, words, picture = displays(await run(interpreters, code))
    assert page["text/html"] == "<b>1</b>"
    assert words == {"text/markdown": "# 1", "text/plain": "# 1"}
    assert is_png(picture)


async def test_ipythons_update_display(interpreters: Interpreters) -> None:
    code = (
        "from IPython.display import DisplayHandle, display, update_display\n"
        "display('a', display_id='x')\n"
        "update_display('b', display_id='x')\n"
        "handle = DisplayHandle()\n"
        "handle.display('c')\n"
        "handle.update('d');"
    )
    assert stored(await run(interpreters, code))["output"] == "'b'\n'd'"


async def test_ipythons_clear_output(interpreters: Interpreters) -> None:
    code = (
        "from IPython.display import clear_output, display\n"
        "for i in range(3):\n"
        "    print('before', i)\n"
        "    clear_output(wait=i == 1)\n"
        "    print('after', i)\n"
    )
    assert stored(await run(interpreters, code))["output"] == "after 2"


async def test_clear_output_waits_for_a_display(interpreters: Interpreters) -> None:
    code = (
        "from IPython.display import HTML, clear_output, display\n"
        "display(HTML('1'))\n"
        "clear_output(wait=True)\n"
        "shown = HTML('2')\n"
        "display(shown)"
    )
    chunks = await run(interpreters, code)
    assert [display["text/html"] for display in displays(chunks)] == ["1", "2"]
    kept = [type(chunk).__name__ for chunk in chunks if not isinstance(chunk, Display)]
    assert stored(chunks)["displays"] == [displays(chunks)[1]]
    assert "Output" in kept


async def test_a_progress_bar_is_shown_as_it_moves_and_kept_as_it_ends(
    interpreters: Interpreters,
) -> None:
    code = "from tqdm import tqdm\nfor _ in tqdm(range(3), mininterval=0, desc='steps'):\n    pass"
    chunks = await run(interpreters, code)
    assert text(chunks).count("\r") >= 3
    kept = str(stored(chunks)["output"])
    assert kept.startswith("steps: 100%|")
    assert "\r" not in kept
    assert kept.count("steps") == 1


async def test_bars_in_bars(interpreters: Interpreters) -> None:
    code = (
        "from tqdm import tqdm\n"
        "for _ in tqdm(range(2), desc='outer', mininterval=0):\n"
        "    for _ in tqdm(range(2), desc='inner', mininterval=0, leave=False):\n"
        "        pass\n"
        "print('done')"
    )
    kept = str(stored(await run(interpreters, code))["output"])
    assert kept.startswith("outer: 100%|")
    assert "inner" not in kept
    assert kept.endswith("\ndone")
