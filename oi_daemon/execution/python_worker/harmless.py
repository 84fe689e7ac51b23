"""Which blocks can hardly end the process: short ones of names, constants and `print`.

A copy of the process is not worth its time before them. One that ends the process all the same, by
what its values do, costs what was changed since the last copy.
"""

from __future__ import annotations

import _ast

_LONGEST = 200
_KINDS = (
    *(_ast.Module, _ast.Expr, _ast.Pass, _ast.Assign, _ast.AugAssign, _ast.Tuple, _ast.List),
    *(_ast.Name, _ast.Load, _ast.Store, _ast.Constant, _ast.JoinedStr, _ast.FormattedValue),
    *(_ast.Call, _ast.BinOp, _ast.Add, _ast.Sub, _ast.Mult, _ast.Div),
)


def harmless(code: str) -> bool:
    if len(code) > _LONGEST or "\\" in code:  # which may warn of an escape, and only once
        return False
    try:
        return _is_harmless(compile(code, "", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True))
    except (SyntaxError, ValueError):
        return False


def _is_harmless(node: object) -> bool:
    if isinstance(node, list):
        return all(map(_is_harmless, node))
    if isinstance(node, _ast.Call) and getattr(node.func, "id", "") != "print":
        return False
    if not isinstance(node, _ast.AST):
        return True  # a name, a number
    return isinstance(node, _KINDS) and all(
        _is_harmless(getattr(node, field, None)) for field in node._fields
    )
