"""The ways of installing that the README names, and a manual that has everything."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.neovim.editor import PLUGIN, ROOT, programs

README = (PLUGIN / "README.md").read_text()
MANUAL = (PLUGIN / "doc" / "oi.txt").read_text()
REPORT = (
    'lua io.write(vim.fn.exists(":OIChat"), vim.fn.exists(":OI"), vim.fn.exists("g:loaded_oi"))'
)


def run(program: str, folder: Path, *arguments: str) -> str:
    """What Neovim says, started with everything of its own in this folder."""
    places = {f"XDG_{name}_HOME": str(folder / name) for name in ("DATA", "STATE", "CONFIG")}
    argv = ["env", f"HOME={folder}", *(f"{k}={v}" for k, v in places.items()), program]
    argv += ["--headless", *arguments, "-c", REPORT, "-c", "qa!"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout + done.stderr


@pytest.mark.parametrize("program", programs())
def test_as_a_package_in_packpath(program: str, tmp_path: Path) -> None:
    start = tmp_path / "DATA" / "nvim" / "site" / "pack" / "oi" / "start"
    start.mkdir(parents=True)
    (start / "oi").symlink_to(PLUGIN)
    assert run(program, tmp_path) == "221"


def test_by_vim_pack_from_a_repository(tmp_path: Path) -> None:
    """Its line of the README, with the repository's address filled in."""
    newest = programs()[-1]
    there = run(newest, tmp_path, "-c", "lua io.write(vim.pack and 'has ' or 'lacks ')")
    if there.startswith("lacks"):
        assert "0.12" in README  # what is tested here is no newer than 0.11
        return
    repository = tmp_path / "repository"
    shutil.copytree(PLUGIN, repository / "clients" / "neovim")
    git = ["git", "-C", str(repository), "-c", "user.name=x", "-c", "user.email=x"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    (line,) = re.findall(r"`(vim\.pack\.add.*)`", README)
    config = tmp_path / "init.lua"
    line = line.replace("URL", f"file://{repository}").replace("{ load", "{ confirm = false, load")
    config.write_text(line)
    assert run(newest, tmp_path, "-u", str(config)).endswith("221")


def test_the_manual_names_whatever_there_is() -> None:
    """Options, functions, events and highlight groups, each with a tag or in its table."""
    lua = PLUGIN / "lua" / "oi"
    options = re.findall(
        r"^  (\w+) = \"table|^  (\w+) = \"", (lua / "config.lua").read_text(), re.M
    )
    for option in {first or second for first, second in options}:
        assert re.search(rf"^{option}\b", MANUAL, re.M), option
    for key in re.findall(r"^    (\w+) = \"", (lua / "config.lua").read_text(), re.M):
        assert re.search(rf"^    \S+ +{key} ", MANUAL, re.M), key
    for function in re.findall(r"^function M\.(\w+)", (lua / "init.lua").read_text(), re.M):
        assert f"*oi.{function}()*" in MANUAL
    sources = "".join(path.read_text() for path in lua.glob("*.lua"))
    for event in re.findall(r"fire\(\"(\w+)\"", sources):
        assert f"*{event}*" in MANUAL
    for group in re.findall(r"^  (OI\w+) = |set_hl\(0, \"(OI\w+)\"", sources, re.M):
        assert f"*hl-{group[0] or group[1]}*" in MANUAL


def test_what_the_manual_points_to_is_there(tmp_path: Path) -> None:
    """Each |link| of its own has its tag; the README's keys and commands are in it."""
    tags = set(re.findall(r"\*(\S+)\*", MANUAL))
    own = {link for link in re.findall(r"\|(\S+?)\|", MANUAL) if re.match(r":?oi[-.]|:OI|OI", link)}
    assert own <= tags
    for command in re.findall(r":OI \w+", README):
        assert command.replace(" ", "-") in tags
    assert (ROOT / "clients" / "neovim" / "doc").is_dir()


def test_the_manual_is_found_without_any_manager(tmp_path: Path) -> None:
    """Its tags are part of the plugin, as Neovim makes them."""
    (tmp_path / "doc").mkdir()
    shutil.copy(PLUGIN / "doc" / "oi.txt", tmp_path / "doc")
    argv = [
        programs()[0],
        "--clean",
        "--headless",
        "-c",
        f"helptags {tmp_path / 'doc'}",
        "-c",
        "qa!",
    ]
    subprocess.run(argv, check=True, capture_output=True)
    assert (PLUGIN / "doc" / "tags").read_text() == (tmp_path / "doc" / "tags").read_text()
