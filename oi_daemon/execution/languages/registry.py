"""The languages: what each is called, what starts it, and what it needs."""

import os
from collections.abc import Iterator
from functools import partial

from oi_daemon.execution.language import Language
from oi_daemon.execution.languages import (
    applescript,
    html,
    javascript,
    jupyter,
    powershell,
    python,
    r,
    shell,
)
from oi_daemon.execution.languages.kernels import KernelSpec, find_kernels

KERNEL = "jupyter:"
"""Before a kernel's name: the kernel is meant, also where a language of our own has that name."""

PYTHON = python.LANGUAGE
LANGUAGES = (
    PYTHON,
    shell.LANGUAGE,
    javascript.LANGUAGE,
    r.LANGUAGE,
    powershell.LANGUAGE,
    applescript.LANGUAGE,
    html.LANGUAGE,
)


def languages() -> list[Language]:
    """Our own, then the Jupyter kernels that are installed."""
    return [*LANGUAGES, *_of_kernels()]


def runnable() -> list[str]:
    """Names of the languages that can be run, without the kernels that are named as our own."""
    found = [known for known in languages() if not known.name.startswith(KERNEL)]
    return [known.name for known in found if known.missing() is None]


def find_language(name: str) -> Language | None:
    """The language of this name or alias, in any case. Our own come before the kernels."""
    wanted = name.strip().lower()
    for known in (LANGUAGES, _of_kernels()):
        for language in known:
            if wanted == language.name or wanted in language.aliases:
                return language
    return None


def _of_kernels() -> Iterator[Language]:
    """Each kernel under its name and that of its language, where these are not taken."""
    kernels = find_kernels(os.environ)
    own = {name for language in LANGUAGES for name in (language.name, *language.aliases)}
    taken = own | {kernel.name for kernel in kernels}
    for kernel in kernels:
        always = f"{KERNEL}{kernel.name}"
        aliases = [kernel.language] if kernel.language and kernel.language not in taken else []
        taken.update(aliases)
        if kernel.name in own:
            yield _of_kernel(kernel, always, aliases)
        else:
            yield _of_kernel(kernel, kernel.name, [*aliases, always])


def _of_kernel(kernel: KernelSpec, name: str, aliases: list[str]) -> Language:
    return Language(
        name=name,
        aliases=tuple(aliases),
        start=partial(jupyter.start, kernel),
        missing=partial(jupyter.missing, kernel),
        path=partial(jupyter.path, kernel),
    )
