"""What has to be known when the user's code imports a module, or starts a process."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing takes longer than all of this package
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from .interrupts import Interrupts

    Action = Callable[[ModuleType], object]


class AfterImport:
    """Finder that finds nothing itself: acts on a module right after its import."""

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        sys.meta_path.insert(0, self)

    def add(self, name: str, action: Action) -> None:
        if name in sys.modules:
            action(sys.modules[name])
        else:
            self._actions[name] = action

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        action = self._actions.pop(name, None)
        if action is None:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                _then(spec.loader, action)
                return spec
        self._actions[name] = action
        return None


def _then(loader: object, action: Action) -> None:
    execute = loader.exec_module  # type: ignore[attr-defined]

    def exec_module(module: ModuleType) -> None:
        execute(module)
        action(module)

    loader.exec_module = exec_module  # type: ignore[attr-defined]


def before_children(after_import: AfterImport, before: Callable[[], None]) -> None:
    """Call `before` ahead of all that writes past our buffer, or ends the process with it."""
    os.system = _system  # type: ignore[assignment]
    if sys.version_info >= (3, 12):
        for name in ("fork", "forkpty"):
            _quieten(name)
    for name in _PASSING_US_BY:
        _precede(os, name, before)
    after_import.add("subprocess", lambda module: _precede(module.Popen, "_execute_child", before))
    after_import.add("ctypes", _unbuffer_c)


_PASSING_US_BY = (
    *("_exit", "abort", "kill", "killpg", "execv", "execve"),
    *("posix_spawn", "posix_spawnp", "write"),
)


def before_waits(before: Callable[[], None], interrupts: Interrupts) -> None:
    """Call `before` ahead of all that waits for any child whatever."""
    for name in ("wait", "wait3", "waitid", "waitpid", "wait4"):
        _precede_wait(name, before, interrupts)


def _precede_wait(name: str, before: Callable[[], None], interrupts: Interrupts) -> None:
    function = getattr(os, name)
    names_child = name in ("waitpid", "wait4")

    def wait(*args: object, **options: object) -> object:
        if not names_child or -1 in args[:1]:
            before()
        with interrupts:
            return function(*args, **options)

    wait.__name__, wait.__doc__ = name, function.__doc__
    setattr(os, name, wait)


def _precede(owner: object, name: str, before: Callable[[], None]) -> None:
    function = getattr(owner, name, None)
    if function is None:
        return

    def wrapped(*args: object, **options: object) -> object:
        before()
        return function(*args, **options)

    wrapped.__name__, wrapped.__doc__ = name, function.__doc__
    setattr(owner, name, wrapped)


def _quieten(name: str) -> None:
    """Python warns that a thread runs besides the fork; it is ours, and waits meanwhile."""
    function = getattr(os, name)

    def fork() -> object:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return function()

    fork.__name__, fork.__doc__ = name, function.__doc__
    setattr(os, name, fork)


def _system(command: str) -> int:
    """os.system; the original ignores an interrupt while the command runs, and then goes on."""
    import subprocess

    try:
        code = subprocess.call(command, shell=True)
    except KeyboardInterrupt:
        raise KeyboardInterrupt from None
    return -code if code < 0 else code << 8


def _unbuffer_c(ctypes: ModuleType) -> None:
    """What C code prints comes in its order too; a pipe would gather it until the process ends."""
    libc = ctypes.CDLL(None)
    for name in ("stdout", "__stdoutp"):  # glibc and musl, macOS
        try:
            stdout = ctypes.c_void_p.in_dll(libc, name)
        except ValueError:
            continue
        libc.setvbuf(stdout, None, _UNBUFFERED, 0)


_UNBUFFERED = 2
