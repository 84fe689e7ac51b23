"""Keys of model servers: known to this process, and out of reach of the code that it runs.

A program's first environment and its command line can be read in /proc by every process of the same
user. So the keys are removed there at start. The daemon also removes them from the environment that
its children inherit.
"""

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

NAMES = ("OPENAI_API_KEY", "OI_API_KEY")
"""Environment variables that hold a key."""
_SECRET_NAME = re.compile("auth|key|token|secret|cookie|password", re.IGNORECASE)
_FLAGS = ("--api_key", "-ak")
"""Options of the command line that are followed by a key."""
_SHORTEST = 8
"""Characters below which a key is taken for a placeholder, such as "ollama": a word of ordinary
texts."""
_PR_SET_DUMPABLE = 4
_ARGUMENTS_IN_STAT, _ENVIRONMENT_IN_STAT = 45, 47
"""Where /proc/self/stat has the addresses of the command line and the environment, counted from
the field behind the program's name."""

_known: set[str] = set()
_removed: dict[str, str] = {}
"""The variables that `take` has removed from the environment."""


def add(key: str | None) -> None:
    """Remember a key, so that it is redacted in logs, errors and the output of code."""
    if key and len(key.strip()) >= _SHORTEST:
        _known.add(key.strip())


def add_secrets(values: Mapping[str, str]) -> None:
    """Remember the values of those headers or variables whose names say that they are keys."""
    for name, value in values.items():
        if _SECRET_NAME.search(name):
            add(value)
            add(value.rpartition(" ")[2])  # what follows on "Bearer"


def known() -> frozenset[str]:
    """Return all keys that are known."""
    return frozenset(_known)


def take() -> None:
    """Remember the environment's keys, and remove them from it; for the daemon, at its start."""
    for name in NAMES:
        add(os.environ.get(name))
    for name, value in list(os.environ.items()):
        if name in NAMES or _holds_key(value):
            _removed[name] = os.environ.pop(name)
    conceal()
    close_memory()


def conceal() -> None:
    """Overwrite keys in this process's command line and first environment, which /proc shows.

    The variables keep their values, for this process and for children.
    """
    values = [os.environ.get(name) for name in NAMES]
    for flag, value in zip(sys.argv, [*sys.argv[1:], ""], strict=True):
        values += [value if flag in _FLAGS else None, flag.partition("=")[2] or None]
    found = {value for value in (*values, *_known) if value and len(value) >= _SHORTEST}
    if not found or sys.platform != "linux":
        return
    for name, value in list(os.environ.items()):
        if value in found:
            os.environ[name] = value  # a new copy: the first one will be overwritten
    _overwrite([os.fsencode(value) for value in found])


def close_memory() -> None:
    """Let no process of the same user read this one's memory or environment (Linux)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def environ() -> dict[str, str]:
    """Return the environment with the keys that `take` has removed."""
    return {**os.environ, **_removed}


class Environ(Mapping[str, str]):
    """A client's environment without the variables that hold keys, which code does not get.

    Equal ones can be exchanged for each other.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        """
        Args:
            variables: all of the environment; the keys in it are known from now on.
        """
        self._known = _parted(variables)
        self._hash = hash(tuple(frozenset(part.items()) for part in self._known))

    def _parts(self) -> tuple[dict[str, str], dict[str, str]]:
        """The variables without keys, and those with keys."""
        return self._known

    def __getitem__(self, name: str) -> str:
        return self._parts()[0][name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts()[0])

    def __len__(self) -> int:
        return len(self._parts()[0])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Environ):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"<Environ of {len(self)} variables>"

    @property
    def whole(self) -> dict[str, str]:
        """All variables, also those that hold keys."""
        plain, secret = self._parts()
        return {**plain, **secret}

    def withheld(self, passed: Collection[str]) -> tuple[str, ...]:
        """Return the names of the variables that code does not get; `passed` are those it may."""
        named = {name for name, value in self.whole.items() if _holds_key(value)}
        return tuple(sorted({*NAMES, *named} - set(passed)))

    def for_code(
        self, environment: Mapping[str, str], withheld: Collection[str], passed: Iterable[str]
    ) -> dict[str, str]:
        """Return an environment for code: without these variables, and with those passed."""
        secret = self._parts()[1]
        given = {name: secret[name] for name in passed if name in secret}
        kept = {name: value for name, value in environment.items() if name not in withheld}
        return {**kept, **given}


class _ProcessEnviron(Environ):
    """The environment of this process, as it is at each moment."""

    def __init__(self) -> None:
        super().__init__({})

    def _parts(self) -> tuple[dict[str, str], dict[str, str]]:
        return _parted(environ())


def process_environ() -> Environ:
    """Return the environment of this process, as that of its one client."""
    return _process_environ


def _parted(variables: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The variables without keys, and those with keys, which are known from now on."""
    for name in NAMES:
        add(variables.get(name))
    secret = {name for name, value in variables.items() if name in NAMES or _holds_key(value)}
    plain = {name: value for name, value in variables.items() if name not in secret}
    return plain, {name: variables[name] for name in secret}


def _holds_key(value: str) -> bool:
    """Whether a variable's value is a known key, or has one in it, as `Bearer KEY` does."""
    return any(key in value for key in _known)


def _overwrite(values: Iterable[bytes]) -> None:
    """Overwrite these bytes wherever the first environment and the command line have them."""
    import ctypes

    try:
        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return
    for first in (_ARGUMENTS_IN_STAT, _ENVIRONMENT_IN_STAT):
        start, end = map(int, fields[first : first + 2])
        text = ctypes.string_at(start, end - start) if start else b""
        for value in values:
            position = text.find(value)
            while position >= 0:
                ctypes.memset(start + position, ord("*"), len(value))
                position = text.find(value, position + len(value))


_process_environ = _ProcessEnviron()
