"""Hooks into the user's code: after it imports a module, before it starts or awaits a process."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # not from typing, whose import takes longer than that of this whole package
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from .interrupts import Interrupts

    Action = Callable[[ModuleType], object]


class AfterImport:
    """An import finder that calls functions with modules right after these were imported.

    It finds nothing itself: it asks the other finders, and wraps the loader that they give.
    """

    def __init__(self) -> None:
        self._actions: dict[str, Action] = {}
        """What to call, by the name of a module that has not been imported yet."""
        sys.meta_path.insert(0, self)

    def add(self, name: str, action: Action) -> None:
        """Call `action` with this module after its import; at once if it is imported already."""
        if name in sys.modules:
            action(sys.modules[name])
        else:
            self._actions[name] = action

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find the module by the other finders; this is the protocol of `sys.meta_path`."""
        action = self._actions.pop(name, None)
        if action is None:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                _call_after_execution(spec.loader, action)
                return spec
        self._actions[name] = action
        return None


def _call_after_execution(loader: object, action: Action) -> None:
    """Change the loader, so that `action` is called with a module once its code has run."""
    execute = loader.exec_module  # type: ignore[attr-defined]

    def exec_module(module: ModuleType) -> None:
        execute(module)
        action(module)

    loader.exec_module = exec_module  # type: ignore[attr-defined]


def before_children(after_import: AfterImport, before: Callable[[], None]) -> None:
    """Call `before` ahead of everything that writes past the output buffer, or loses its content.

    These are the start of a process, the end of this one, and `os.write`. What C code prints is
    made unbuffered.
    """
    os.system = _system  # type: ignore[assignment]
    if sys.version_info >= (3, 12):
        for name in ("fork", "forkpty"):
            _silence_fork_warning(name)
    for name in _BYPASSING_BUFFER:
        _call_first(os, name, before)
    after_import.add(
        "subprocess", lambda module: _call_first(module.Popen, "_execute_child", before)
    )
    after_import.add("ctypes", _unbuffer_c)


_BYPASSING_BUFFER = (
    *("_exit", "abort", "kill", "killpg", "execv", "execve"),
    *("posix_spawn", "posix_spawnp", "write"),
)
"""Functions of `os` that write past the output buffer, or end the process with its content."""


def before_waits(before: Callable[[], None], interrupts: Interrupts) -> None:
    """Call `before` ahead of every `os.wait...` that may return any child, and not one named.

    While it waits, an interrupt is raised at once.
    """
    for name in ("wait", "wait3", "waitid", "waitpid", "wait4"):
        _wrap_wait(name, before, interrupts)


def _wrap_wait(name: str, before: Callable[[], None], interrupts: Interrupts) -> None:
    """Replace one function of `os`; see `before_waits`."""
    function = getattr(os, name)
    names_child = name in ("waitpid", "wait4")

    def wait(*args: object, **options: object) -> object:
        if not names_child or -1 in args[:1]:
            before()
        with interrupts:
            return function(*args, **options)

    wait.__name__, wait.__doc__ = name, function.__doc__
    setattr(os, name, wait)


def _call_first(owner: object, name: str, before: Callable[[], None]) -> None:
    """Replace a function of `owner`, if it has it, by one that calls `before` first."""
    function = getattr(owner, name, None)
    if function is None:
        return

    def wrapped(*args: object, **options: object) -> object:
        before()
        return function(*args, **options)

    wrapped.__name__, wrapped.__doc__ = name, function.__doc__
    setattr(owner, name, wrapped)


def _silence_fork_warning(name: str) -> None:
    """Replace a fork function of `os` by one without Python's warning of other threads.

    The other thread is the worker's own `Watch`, which holds no lock during a fork.
    """
    function = getattr(os, name)

    def fork() -> object:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return function()

    fork.__name__, fork.__doc__ = name, function.__doc__
    setattr(os, name, fork)


def _system(command: str) -> int:
    """Run a command and return as `os.system` does, but let an interrupt end it.

    The original ignores SIGINT while the command runs, so the block would go on afterwards.
    """
    import subprocess

    try:
        code = subprocess.call(command, shell=True)
    except KeyboardInterrupt:
        raise KeyboardInterrupt from None
    return -code if code < 0 else code << 8


def _unbuffer_c(ctypes: ModuleType) -> None:
    """Make C's stdout unbuffered, so that what C code prints arrives in order with other output.

    Because it is a pipe, it would otherwise be buffered, often until the process ends.
    """
    libc = ctypes.CDLL(None)
    for name in ("stdout", "__stdoutp"):  # glibc and musl, macOS
        try:
            stdout = ctypes.c_void_p.in_dll(libc, name)
        except ValueError:
            continue
        libc.setvbuf(stdout, None, _UNBUFFERED, 0)


_UNBUFFERED = 2
"""C's _IONBF, a mode of `setvbuf`."""
