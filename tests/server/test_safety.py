"""The table in docs/safety.md: each of its cells is tried."""

import re
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from oi_daemon.execution.sandbox import landlock, seccomp
from tests.wire_client import WireClient

PAGE = Path(__file__).parents[2] / "docs/safety.md"
HAS_SANDBOX = landlock.version() >= landlock.LEAST and seccomp.is_known_machine()
PROBES = {
    "change a file in the working folder": "open('work.txt', 'w').write('new')",
    "delete a folder in the working folder": "import shutil; shutil.rmtree('folder')",
    "change the permissions of a file in the working folder": (
        "import os; os.chmod('work.txt', 0o700)"
    ),
    "create a file in the working folder": "open('new.txt', 'w').write('new')",
    "change a file that Git ignores": "open('ignored.log', 'w').write('new')",
    "change something in `.git`": "open('.git/config', 'w').write('new')",
    "write in your home folder": "open('{home}/new.txt', 'w').write('new')",
    "delete a file in your home folder": "import os; os.remove('{home}/home.txt')",
    "read a file in your home folder": "open('{home}/home.txt').read()",
    "connect to a server": "import socket; socket.create_connection(('127.0.0.1', {port}), 5)",
    "end another program of yours": "import os; os.kill({victim}, 9)",
}
"""The code for each row. It raises if it is refused."""


def rows() -> dict[str, list[str]]:
    """The cells of each row of the table, by its first one."""
    text = PAGE.read_text("utf-8")
    table = re.search(r"<!-- safety -->\n(.*?)<!-- /safety -->", text, re.DOTALL)
    assert table
    cells = [line.strip("| ").split(" | ") for line in table[1].splitlines()[2:]]
    return {row[0]: row[1:] for row in cells}


@dataclass
class Machine:
    """What code may reach."""

    work: Path
    home: Path
    port: int
    victim: int

    def picture(self) -> dict[str, tuple[int, bytes]]:
        """All files of both folders, but those of the application."""
        found = [*self.work.rglob("*"), *self.home.glob("*.txt")]
        return {
            str(path): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"")
            for path in found
        }


@pytest.fixture
def machine(tmp_path: Path, home: Path) -> Iterator[Machine]:
    work = tmp_path / "work"
    for folder in (work, work / "folder", work / ".git"):
        folder.mkdir()
    (work / ".gitignore").write_text("*.log\n")
    for name in ("work.txt", "ignored.log", "folder/inside.txt", ".git/config"):
        (work / name).write_text("old")
    (home / "home.txt").write_text("old")
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        subprocess.Popen(["sleep", "600"]) as victim,
    ):
        yield Machine(work, home, server.getsockname()[1], victim.pid)
        victim.kill()


def test_each_row_has_a_probe() -> None:
    assert list(rows()) == list(PROBES)


@pytest.mark.parametrize("column", range(3), ids=["none", "write-protect", "isolated"])
def test_the_table_is_true(machine: Machine, column: int) -> None:
    """What is done is done, what is refused is refused, and only what comes back does."""
    mode = ("none", "write-protect", "isolated")[column]
    if mode != "none" and not HAS_SANDBOX:
        pytest.skip("this system has no sandbox to test")
    values = {"home": machine.home, "port": machine.port, "victim": machine.victim}
    found = {}
    with WireClient() as client:
        settings = {"cwd": str(machine.work), "sandbox": mode, "keep_files": True}
        client.result("oi/settings/set", {"settings": settings})
        for row, code in PROBES.items():
            (machine.home / "home.txt").write_text("old")
            before = machine.picture()
            params = {"language": "python", "code": code.format(**values)}
            (block,) = client.result("oi/execute", params)["messages"]
            is_done = block.get("status") != "error"
            changed = machine.picture() != before
            client.result("oi/files/undo")
            comes_back = changed and machine.picture() == before
            found[row] = ["done" if is_done else "refused", "yes" if comes_back else "no"]
    assert found == {row: [cells[column], cells[3]] for row, cells in rows().items()}
