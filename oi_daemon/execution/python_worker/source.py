"""Parses a block's source, and turns its `!command`, `%magic` and `name?` lines into Python.

Such lines are not valid Python, so a block that parses has none. Text that only looks like one, in
a string for instance, is therefore never changed. Every line keeps its number.
"""

from __future__ import annotations

from _ast import Module, PyCF_ALLOW_TOP_LEVEL_AWAIT, PyCF_ONLY_AST


def pasted(code: str) -> str:
    """Return a block's code without what a paste brings along: a byte order mark and prompts."""
    if code[:1] == "\ufeff":
        code = code[1:]
    if code.lstrip()[:4] in (">>> ", "In ["):
        from . import prompts

        return "".join(prompts.without_prompts(lines_of(code)))
    return code


def lines_of(code: str) -> list[str]:
    """Return the lines that Python counts, with their ends; `str.splitlines` finds more."""
    lines = code.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [f"{line}\n" for line in lines]


def parse(code: str, file: str, flags: int) -> Module:
    """Return the block's syntax tree. `flags` are those of `from __future__` imports so far.

    Raises:
        SyntaxError: and whatever else `compile` raises for text that is not valid code.
    """
    if "__future__" in code:
        _check_places(code, file, flags)
    lines = lines_of(code)
    while True:
        try:
            return _parse("".join(lines), file, flags)
        except SyntaxError as error:
            index = (error.lineno or 0) - 1
            line = lines[index].strip() if 0 <= index < len(lines) else ""
            if not any(sign in line for sign in "!%?"):
                raise
            from . import magic

            script, own = magic.script_as_python(code), magic.line_as_python(line)
            if script:
                return _parse(script, file, flags)
            if own:
                lines[index] = lines[index].replace(line, own, 1)
            elif magic.is_magic(line):
                return _parse(magic.through_ipython("".join(lines), line), file, flags)
            else:
                raise


def _check_places(code: str, file: str, flags: int) -> None:
    """Raise a SyntaxError if a `from __future__` import is not where Python allows it in a file.

    Python checks that when it compiles a whole file, not when it parses one. Code that does not
    parse has other lines than Python's, behind which such an import is allowed, as in IPython.
    """
    try:
        _parse(code, file, flags)
    except SyntaxError:
        return
    compile(code, file, "exec", PyCF_ALLOW_TOP_LEVEL_AWAIT | flags, dont_inherit=True)


def _parse(code: str, file: str, flags: int) -> Module:
    """Return the syntax tree of plain Python; see `parse`."""
    options = PyCF_ONLY_AST | PyCF_ALLOW_TOP_LEVEL_AWAIT | flags
    tree = compile(code, file, "exec", options, dont_inherit=True)
    assert isinstance(tree, Module)
    return tree
