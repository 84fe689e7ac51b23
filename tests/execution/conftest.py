import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from oi_daemon.execution import Execution, Workplace


@pytest.fixture
def workplace(tmp_path: Path) -> Workplace:
    """An empty folder. WORKER_PYTHON names another Python to run the code under."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Workplace(cwd=str(folder), python=os.environ.get("WORKER_PYTHON"))


@pytest.fixture
async def execution(workplace: Workplace) -> AsyncIterator[Execution]:
    execution = Execution(workplace)
    yield execution
    await execution.close()
