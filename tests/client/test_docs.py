"""Every Python example of the documentation is run, and prints what it says.

The blocks of a page are one program, in their order. A comment `replies` names what the model says,
`stdin` what is typed; a block of `output` after a block of `python` is all that this one prints.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.programs import EXAMPLE, HELLO, SILENT, code, environment, run
from tests.fakes.openai_server import Reply, ThreadedServer, text
from tests.server.shared import stopped_at_the_end

DOCS = Path(__file__).parents[2] / "docs"
REPLIES: dict[str, list[Reply]] = {
    "34/24": EXAMPLE,
    "34/24 declined": EXAMPLE[:1],
    "hello": HELLO,
    "hello world": [text("Sure!") + code("print('Hello, World!')"), SILENT],
    "remembers": [text("Hello, World!")],
    "asks": [code("print('Hi', input('Name? '))"), SILENT],
}
PAGES = [
    page
    for page in [DOCS.parent / "README.md", *sorted(DOCS.glob("*.md"))]
    if "```python" in page.read_text("utf-8")
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!-- (replies|stdin): (.*?) -->", re.DOTALL)
MARK = "\x1e"


@pytest.fixture(autouse=True)
def daemon() -> Iterator[None]:
    """Leaves no shared daemon behind, where an example uses it."""
    with stopped_at_the_end():
        yield


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run_as_written(
    page: Path, server: ThreadedServer, tmp_path: Path
) -> None:
    source = page.read_text(encoding="utf-8")
    said = dict(COMMENT.findall(source))
    for name in said.get("replies", "hello, 34/24").split(", "):
        server.enqueue(*REPLIES.get(name, []))
    fences = FENCE.findall(source)
    blocks = [block for kind, block in fences if kind == "python"]
    done = run(
        f"print('{MARK}')\n".join(blocks),
        tmp_path,
        environment(server),
        stdin=f"{said.get('stdin', '')}\n",
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(f"{MARK}\n")
    for wanted, got in zip(_outputs(fences), printed, strict=True):
        assert wanted is None or wanted.rstrip("\n") == got.rstrip("\n"), done.stderr


def _outputs(fences: list[tuple[str, str]]) -> list[str | None]:
    """What each Python block prints, where the page says it."""
    after = [*fences[1:], ("", "")]
    return [
        following[1] if following[0] == "output" else None
        for (kind, _), following in zip(fences, after, strict=True)
        if kind == "python"
    ]
