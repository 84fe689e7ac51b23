"""Where the code uses a library's inside, the library's version is bound to what was tested."""

import ast
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from oi_daemon import server
from oi_daemon.server.lsp import Lifecycle, lifecycle
from tests.packaging.conftest import ROOT

PRIVATE_NAMES_OF_PYGLS = {
    "_converter",
    "_ctx_msg_id",
    "_execute_handler",
    "_request_futures",
    "_server",
    "_shutdown",
}
"""What `server/lsp.py` uses of `pygls.protocol.LanguageServerProtocol` without a promise."""

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def requirement(name: str) -> Requirement:
    """What the package demands of a library."""
    found = map(Requirement, PYPROJECT["project"]["dependencies"])
    return next(each for each in found if each.name == name)


def test_the_version_of_every_requirement_is_locked() -> None:
    """If this fails: `scripts/lock` writes them anew."""
    project = PYPROJECT["project"]
    groups = (*project["optional-dependencies"].values(), *PYPROJECT["dependency-groups"].values())
    wanted = map(
        Requirement, [*project["dependencies"], *(line for group in groups for line in group)]
    )
    locked: dict[str, list[str]] = {}
    for line in (ROOT / "scripts/constraints.txt").read_text(encoding="utf-8").splitlines():
        each = Requirement(line)  # a name and a version: no option, address or path
        assert each.url is None
        [pin] = each.specifier
        assert pin.operator == "=="
        locked.setdefault(each.name, []).append(pin.version)
    assert [
        str(each)
        for each in wanted
        if not any(map(each.specifier.contains, locked.get(canonicalize_name(each.name), [])))
    ] == []


def test_the_private_names_of_pygls_that_we_use_are_listed_and_there() -> None:
    source = Path(server.__path__[0], "lsp.py").read_text(encoding="utf-8")
    used = {
        node.attr
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_")
    }
    own = {name for name in vars(Lifecycle) if name.startswith("_")} | {"_languages"}
    assert used - own - {"__init__"} == PRIVATE_NAMES_OF_PYGLS

    async def start(settings: object, folder: object) -> None: ...

    made = lifecycle(start, list)
    assert [name for name in PRIVATE_NAMES_OF_PYGLS if not hasattr(made, name)] == []


def test_pygls_is_pinned_to_the_minor_version_that_has_them() -> None:
    major, minor = map(int, version("pygls").split(".")[:2])
    pin = requirement("pygls").specifier
    assert pin.contains(version("pygls"))
    assert not pin.contains(f"{major}.{minor + 1}.0")


@pytest.mark.parametrize("library", ["openai", "httpx2"])
def test_libraries_that_we_put_together_are_bound_to_their_major_version(library: str) -> None:
    """`model/connections.py` gives the one's client transports of the other."""
    major = int(version(library).split(".")[0])
    bound = requirement(library).specifier
    assert bound.contains(version(library))
    assert not bound.contains(f"{major + 1}.0")
