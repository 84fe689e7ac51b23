"""Values that are handed over between this program and the Python code of a conversation.

They go through a file in the temporary folder of that code, as a pickle.
"""

import io
import keyword
import os
import pickle
import re
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oi_daemon.errors import InvalidError, OIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from oi_daemon.messages.shapes import MessageDict

_PROTOCOL = 5
"""The pickle's version: the newest one that all of Python from 3.8 on can read."""
_FOLDER = "print({mark!r} + __import__('tempfile').mkdtemp(prefix='oi-handover-'))"
_TAKE = (
    "# Handed over by the person: {described}\n"
    "{names}, = __import__('pickle').loads(__import__('pathlib').Path({path!r}).read_bytes())"
)
_GIVE = (
    "__import__('pathlib').Path({path!r})"
    ".write_bytes(__import__('pickle').dumps([{names}], {protocol})) and None"
)
_OTHER_PYTHON = (
    " The code runs under another Python than this program. With `interpreter.python ="
    " sys.executable`, it runs under this one."
)
_OWN = " What this program itself defines is not known there: put it into a module."
_HINTS = {"__main__": _OWN, "ModuleNotFoundError": _OTHER_PYTHON}
"""What to do about an error of the code that takes a value over, by a word in it."""
_SANDBOXED = (
    "{name}: with a sandbox, only plain values are taken over (text, numbers, lists, ...), because"
    " others could run code here when they are unpickled, and this one holds a {kind}. Take over"
    " plain values, as of `df.to_dict()`, or have the code write a file."
)


class Handover:
    """Hands values over, by blocks of the person's own."""

    def __init__(
        self,
        run: "Callable[[str], list[MessageDict]]",
        run_aside: "Callable[[str], list[MessageDict]]",
        *,
        sandboxed: bool,
    ) -> None:
        """
        Args:
            run: runs Python code where the model's runs; returns what that added.
            run_aside: the same, but nothing of it is kept in the conversation.
            sandboxed: the code may do less than this program.
        """
        self._run = run
        self._run_aside = run_aside
        self._sandboxed = sandboxed

    def push(self, values: Mapping[str, object]) -> None:
        """Give the code variables of these names and values.

        Raises:
            OIError: a value cannot be pickled here, or cannot be unpickled there.
        """
        if not values:
            return
        path = self._new_file(_pickled(values))
        described = ", ".join(f"{name} ({type(it).__name__})" for name, it in values.items())
        try:
            code = _TAKE.format(described=described, names=", ".join(values), path=path)
            _raise_failure(self._run(code), f"{', '.join(values)} cannot be handed over")
        finally:
            _remove(path)

    def pull(self, names: Sequence[str]) -> list[Any]:
        """Return the values of these variables, or of other expressions, of the code.

        Raises:
            OIError: there is no such variable, or it cannot be handed over.
        """
        path = self._new_file(b"")
        listed = ", ".join(names)
        try:
            code = _GIVE.format(path=path, names=listed, protocol=_PROTOCOL)
            _raise_failure(self._run_aside(code), f"{listed} cannot be taken over")
            return self._loaded(Path(path).read_bytes(), listed)
        finally:
            _remove(path)

    def _loaded(self, data: bytes, names: str) -> list[Any]:
        """The values of a pickle."""
        reader = _PlainUnpickler if self._sandboxed else pickle.Unpickler
        try:
            values: list[Any] = reader(io.BytesIO(data)).load()
        except _NotPlainError as error:
            raise InvalidError(_SANDBOXED.format(name=names, kind=error)) from None
        except Exception as error:
            text = f"{names} cannot be taken over: {type(error).__name__}: {error}."
            raise OIError(text + _OTHER_PYTHON) from error
        return values

    def _new_file(self, data: bytes) -> str:
        """Write a file, in a new folder that the code can reach; returns its path."""
        mark = secrets.token_hex(8)
        messages = self._run_aside(_FOLDER.format(mark=mark))
        _raise_failure(messages, "Nothing can be handed over")
        output = "".join(message.get("output", "") for message in messages)
        found = re.search(f"{mark}(.+)", output)
        if found is None:
            raise OIError(f"Nothing can be handed over: {output.strip() or 'no Python runs there'}")
        path = str(Path(found[1], "values"))
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
        except OSError as error:
            raise OIError(f"{path} cannot be written: {error.strerror}.") from error
        return path


class _NotPlainError(Exception):
    """A pickle holds more than plain values. The text is the name of what it holds."""


class _PlainUnpickler(pickle.Unpickler):
    """Reads plain values only, so nothing is imported or called."""

    def find_class(self, module: str, name: str) -> Any:
        raise _NotPlainError(name if module == "builtins" else f"{module}.{name}")


def _pickled(values: Mapping[str, object]) -> bytes:
    """The values as a pickle of a list.

    Raises:
        InvalidError: one of them cannot be pickled, or its name is none of a variable.
    """
    for name in values:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise InvalidError(f"{name!r} cannot be the name of a variable")
    try:
        return pickle.dumps([*values.values()], _PROTOCOL)
    except Exception as error:
        text = f"{', '.join(values)} cannot be handed over: {error}"
        raise InvalidError(text) from error


def _raise_failure(messages: "Sequence[MessageDict]", what: str) -> None:
    """Raise if the block failed.

    Raises:
        OIError: it failed; the text begins with `what`.
    """
    for message in messages:
        error = message.get("error")
        if error is None:
            continue
        hint = next((text for word, text in _HINTS.items() if word in str(error)), "")
        raise OIError(f"{what}: {error['name']}: {error['message']}.{hint}")


def _remove(path: str) -> None:
    """Remove a file, and the folder that was made for it."""
    with suppress(OSError):
        Path(path).unlink()
    with suppress(OSError):
        Path(path).parent.rmdir()
