"""An empty folder of conversations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from oi_daemon.history import History
from tests.history.conversations import another, close_all


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations"


@pytest.fixture
def history(folder: Path) -> History:
    return another(folder)


@pytest.fixture(autouse=True)
def _all_are_closed() -> Iterator[None]:
    yield
    close_all()
