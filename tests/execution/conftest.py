import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from oi_daemon.execution.interpreters import Interpreters
from oi_daemon.execution.language import Workplace
from tests.processes import command_line


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """An empty folder. WORKER_PYTHON names another Python to run the code under."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Workplace(cwd=str(folder), python=os.environ.get("WORKER_PYTHON"))


@pytest.fixture
async def interpreters(workplace: Workplace) -> AsyncIterator[Interpreters]:
    interpreters = Interpreters(workplace)
    yield interpreters
    await interpreters.close()


@pytest.fixture(autouse=True)
def no_host_left() -> Iterator[None]:
    """A test that fails leaves no small daemon behind that goes on running endless code."""
    yield
    for child in psutil.Process().children():
        if "tests.execution.host" in command_line(child):
            child.kill()


@pytest.fixture(scope="session")
def font_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Folder with matplotlib's list of fonts, which it takes long to make, and says so."""
    folder = str(tmp_path_factory.mktemp("matplotlib"))
    environment = {**os.environ, "MPLCONFIGDIR": folder, "MPLBACKEND": "agg"}
    subprocess.run([sys.executable, "-c", "import matplotlib.pyplot"], env=environment, check=True)
    return folder


@pytest.fixture
def fonts(font_cache: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """matplotlib begins with its list of fonts."""
    monkeypatch.setenv("MPLCONFIGDIR", font_cache)
    return font_cache
