"""The clients' copies of the wire's types and of the settings are those of the daemon."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = runpy.run_path(str(ROOT / "scripts/generate"))["generated"]()


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_generated_for_the_editors_is_current(path: Path) -> None:
    """If this fails: `scripts/docs && python scripts/generate` writes it anew."""
    assert path.read_text(encoding="utf-8") == GENERATED[path]
