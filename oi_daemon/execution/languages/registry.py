"""The list of all languages, and the search for one by its name."""

import os
from collections.abc import Iterator, Mapping
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
    zsh,
)
from oi_daemon.execution.languages.kernels import KernelSpec, find_kernels

KERNEL = "jupyter:"
"""Prefix that selects a Jupyter kernel even if a built-in language has the same name."""

PYTHON = python.LANGUAGE
LANGUAGES = (
    PYTHON,
    shell.LANGUAGE,
    zsh.LANGUAGE,
    javascript.LANGUAGE,
    r.LANGUAGE,
    powershell.LANGUAGE,
    applescript.LANGUAGE,
    html.LANGUAGE,
)
"""The built-in languages."""


def languages(environ: Mapping[str, str] = os.environ) -> list[Language]:
    """The built-in languages, then the installed Jupyter kernels."""
    return [*LANGUAGES, *_kernel_languages(environ)]


def language_names(environ: Mapping[str, str] = os.environ) -> list[str]:
    """The names of all languages, whether they can run here or not."""
    return [language.name for language in languages(environ)]


def runnable(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Names of the languages that can run here, without kernels that need the prefix KERNEL."""
    found = [known for known in languages(environ) if not known.name.startswith(KERNEL)]
    return [known.name for known in found if known.missing(environ) is None]


def find_language(name: str, environ: Mapping[str, str] = os.environ) -> Language | None:
    """The language of this name or alias, whatever its case. Built-in ones come before kernels."""
    wanted = name.strip().lower()
    for known in (LANGUAGES, _kernel_languages(environ)):
        for language in known:
            if wanted == language.name or wanted in language.aliases:
                return language
    return None


def _kernel_languages(environ: Mapping[str, str]) -> Iterator[Language]:
    """The installed kernels as languages.

    Each has its own name and, as an alias, the name of its language, if these are still free.
    """
    kernels = find_kernels(environ)
    own = {name for language in LANGUAGES for name in (language.name, *language.aliases)}
    taken = own | {kernel.name for kernel in kernels}
    for kernel in kernels:
        always = f"{KERNEL}{kernel.name}"
        aliases = [kernel.language] if kernel.language and kernel.language not in taken else []
        taken.update(aliases)
        if kernel.name in own:
            yield _kernel_language(kernel, always, aliases)
        else:
            yield _kernel_language(kernel, kernel.name, [*aliases, always])


def _kernel_language(kernel: KernelSpec, name: str, aliases: list[str]) -> Language:
    """Return a kernel as a language.

    Its file suffix, lexer and editor ids are those of the language that the kernel runs.
    """
    own = next((one for one in LANGUAGES if kernel.language in (one.name, *one.aliases)), None)
    ids = (kernel.language,) if kernel.language else ()
    return Language(
        name=name,
        aliases=tuple(aliases),
        start=partial(jupyter.start, kernel),
        missing=partial(jupyter.missing, kernel),
        path=partial(jupyter.path, kernel),
        suffix=own.suffix if own else ".txt",
        lexer=own.lexer if own else kernel.language or "text",
        vscode=own.vscode[:1] if own else ids,
        neovim=own.neovim[:1] if own else ids,
    )
