"""The VS Code client has the daemon's version, and its package holds what is meant."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from oi_daemon import __version__
from tests.packaging.conftest import ROOT, run

CLIENT = ROOT / "clients/vscode"
IN_THE_VSIX = {
    "[Content_Types].xml",
    "extension.vsixmanifest",
    "extension/LICENSE.txt",
    "extension/changelog.md",
    "extension/dist/extension.js",
    "extension/package.json",
    "extension/package.nls.json",
    "extension/readme.md",
}


@pytest.mark.parametrize("name", ["package.json", "package-lock.json"])
def test_the_extension_has_the_version_of_the_daemon(name: str) -> None:
    assert json.loads((CLIENT / name).read_text(encoding="utf-8"))["version"] == __version__


@pytest.mark.packaging
@pytest.mark.timeout(300)
def test_the_vsix_holds_what_is_meant_and_nothing_else(
    tmp_path: Path, user: dict[str, str], tracked: set[str]
) -> None:
    if not (CLIENT / "node_modules").exists() or shutil.which("npm") is None:
        pytest.skip("npm has not installed clients/vscode")
    vsix = tmp_path / "open-interpreter.vsix"
    package = ("npm", "--silent", "--prefix", str(CLIENT), "run", "package", "--", "--out", vsix)
    run(*package, cwd=tmp_path, env=user)
    with zipfile.ZipFile(vsix) as archive:
        found = set(archive.namelist())
    folders = ("clients/vscode/media/", "clients/vscode/l10n/")
    data = {name for name in tracked if name.startswith(folders)}
    assert found == IN_THE_VSIX | {name.replace("clients/vscode", "extension") for name in data}
