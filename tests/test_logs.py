"""Log lines: where they go, who may read them, and that no key is in them."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from oi_daemon import logs
from oi_daemon.logs import apply, configure, hide, redact, set_debug
from oi_daemon.settings import Settings
from oi_daemon.settings.paths import log_path

_log = logging.getLogger("oi_daemon.tests")


@pytest.fixture(autouse=True)
def logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)
    monkeypatch.setattr(logs, "_secrets", set())
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers, root.level = handlers, level
    logging.getLogger("oi_daemon").setLevel(logging.NOTSET)


def test_warnings_go_to_stderr_and_more_to_the_file(capfd: pytest.CaptureFixture[str]) -> None:
    configure()
    _log.debug("a step")
    _log.info("a fact")
    _log.warning("a warning")
    out, err = capfd.readouterr()
    assert (out, err) == ("", "oi-daemon: WARNING: a warning\n")
    text = log_path().read_text()
    assert "a fact" in text
    assert "a step" not in text


@pytest.mark.parametrize("at_start", [True, False])
def test_debug_shows_every_step(at_start: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """From the command line or, later, by the setting."""
    configure(debug=at_start)
    set_debug(True)
    _log.debug("a step")
    assert "a step" in capfd.readouterr().err
    assert "a step" in log_path().read_text()


def test_other_peoples_steps_are_not_shown(capfd: pytest.CaptureFixture[str]) -> None:
    configure(debug=True)
    logging.getLogger("pygls.protocol").info("a body")
    assert capfd.readouterr().err == ""
    assert "a body" not in log_path().read_text()


def test_the_file_is_private_even_in_a_careless_process() -> None:
    configure()
    _log.warning("x")
    assert log_path().stat().st_mode & 0o777 == 0o600


def test_the_folders_above_the_file_are_private_under_any_umask(home: Path) -> None:
    before = os.umask(0)
    try:
        configure()
    finally:
        os.umask(before)
    folder = log_path().parent
    made = [
        folder,
        *(path for path in folder.parents if path.is_relative_to(home) and path != home),
    ]
    assert [path for path in made if path.stat().st_mode & 0o077] == []


def test_the_file_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_FILE_BYTES", 1000)
    configure()
    for _ in range(100):
        _log.info("x" * 100)
    sizes = [path.stat() for path in log_path().parent.iterdir()]
    assert len(sizes) == 3
    assert all(size.st_size <= 1000 and size.st_mode & 0o077 == 0 for size in sizes)


def test_a_file_that_cannot_be_opened_is_done_without(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (home / ".local").write_text("no folder")
    configure()
    _log.warning("a warning")
    assert capfd.readouterr().err == "oi-daemon: WARNING: a warning\n"


def test_no_key_in_any_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not the environment's, nor a known one, nor what looks like one; tracebacks included."""
    monkeypatch.setenv("OPENAI_API_KEY", "environment-key")
    configure()
    hide("a-hidden-key")
    try:
        raise ValueError("environment-key")
    except ValueError:
        _log.exception("%s and sk-proj-0123456789_abc-def", "a-hidden-key")
    for text in (capfd.readouterr().err, log_path().read_text()):
        assert "ValueError: [key]" in text
        assert "[key] and [key]" in text


def test_nothing_that_looks_like_a_key_is_told() -> None:
    text = "Key my-own-key, sk-proj-abc_DEF-123, sk-ab***yz and Bearer eyJhbGci."
    assert redact(text, "my-own-key") == "Key [key], [key], [key] and Bearer [key]"


def test_what_is_no_key_stays() -> None:
    """Local servers are given words in place of one."""
    for placeholder in (None, "", "ollama"):
        hide(placeholder)
    assert redact("ollama's task-list") == "ollama's task-list"


def test_settings_are_applied(capfd: pytest.CaptureFixture[str]) -> None:
    configure()
    apply(Settings(debug_mode=True, api_key="a-new-key"))
    _log.debug("a step with a-new-key")
    assert "a step with [key]" in capfd.readouterr().err
    apply(Settings())
    _log.debug("another")
    assert capfd.readouterr().err == ""
