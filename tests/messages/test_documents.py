"""A conversation as Markdown, as a notebook and as a script."""

import json

from oi_daemon.messages.documents import as_markdown, as_notebook, as_script
from oi_daemon.messages.shapes import MessageDict

CONVERSATION: list[MessageDict] = [
    {"role": "user", "message": "Plot it.\n\nNow."},
    {"role": "assistant", "message": "So:"},
    {
        "role": "assistant",
        "language": "python",
        "code": "print('```')",
        "output": "```\n",
        "displays": [
            {"image/png": "iVBO\nRw0=", "application/vnd.oi.display-id": "1"},
            {"text/html": "<b>b</b>"},
        ],
    },
    {"role": "assistant", "language": "shell", "code": "ls", "output": "a\n"},
    {"role": "assistant", "language": "r", "code": "x", "status": "declined"},
    {"role": "assistant", "language": "python", "code": "x = 1\n"},
]


def test_markdown_quotes_the_person_and_fences_code_and_output() -> None:
    assert as_markdown(CONVERSATION) == (
        "> Plot it.\n>\n> Now.\n\nSo:\n\n"
        "````python\nprint('```')\n````\n\n````\n```\n````\n\n"
        "![](data:image/png;base64,iVBORw0=)\n\n"
        "```shell\nls\n```\n\n```\na\n```\n\n```r\nx\n```\n\n*Not run.*\n\n```python\nx = 1\n```\n"
    )


def test_a_notebook_runs_other_languages_by_cell_magics() -> None:
    notebook = json.loads(as_notebook(CONVERSATION))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert ["".join(cell["source"]) for cell in code] == [
        *("print('```')", "%%bash\nls", "%%script r\nx", "x = 1\n")
    ]
    kinds = [output["output_type"] for output in code[0]["outputs"]]
    assert kinds == ["stream", "display_data", "display_data"]
    assert json.loads(as_notebook([]))["cells"] == []


def test_a_script_has_the_code_that_ran_in_one_language() -> None:
    assert as_script(CONVERSATION, "python") == "print('```')\n\nx = 1\n"
    assert as_script(CONVERSATION, "shell") == "ls\n"
    assert as_script(CONVERSATION, "r") == ""
