"""Recognizes blocks that can hardly end the process: short ones of names, constants and `print`.

Forking a standby takes longer than such a block, so none is forked before it runs. If it ends the
process all the same, through what its values do, the changes since the last standby are lost.
"""

from __future__ import annotations

import _ast

_MAX_LENGTH = 200
"""Characters; a longer block is not looked at, because parsing it would take time."""
_SAFE_NODES = (
    *(_ast.Module, _ast.Expr, _ast.Pass, _ast.Assign, _ast.AugAssign, _ast.Tuple, _ast.List),
    *(_ast.Name, _ast.Load, _ast.Store, _ast.Constant, _ast.JoinedStr, _ast.FormattedValue),
    *(_ast.Call, _ast.BinOp, _ast.Add, _ast.Sub, _ast.Mult, _ast.Div),
)
"""Kinds of syntax nodes that a harmless block may consist of; a call must be one of `print`."""


def harmless(code: str) -> bool:
    """Return True if the block can hardly end the process."""
    # A backslash may begin an invalid escape. Python warns of it only once: when the block runs.
    if len(code) > _MAX_LENGTH or "\\" in code:
        return False
    try:
        return _is_harmless(compile(code, "", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True))
    except (SyntaxError, ValueError):
        return False


def _is_harmless(node: object) -> bool:
    """Return True if this part of the syntax tree has safe nodes only."""
    if isinstance(node, list):
        return all(map(_is_harmless, node))
    if isinstance(node, _ast.Call) and getattr(node.func, "id", "") != "print":
        return False
    if not isinstance(node, _ast.AST):
        return True  # the text of a name, or a constant's value
    return isinstance(node, _SAFE_NODES) and all(
        _is_harmless(getattr(node, field, None)) for field in node._fields
    )
