"""An empty folder of conversations."""

from pathlib import Path

import pytest

from oi_daemon.history import History


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations"


@pytest.fixture
def history(folder: Path) -> History:
    return History(folder)
