"""Writes the daemon's languages as tables: their names, and how the editors call them."""

import json
from collections.abc import Iterable

from oi_daemon.execution.languages.registry import LANGUAGES


def for_typescript() -> str:
    """The module for the VS Code extension."""
    lines = (
        f'  {{ name: "{known.name}", aliases: {json.dumps(known.aliases)},'
        f" ids: {json.dumps(known.vscode)} }},\n"
        for known in LANGUAGES
    )
    return f"""// The daemon's languages. Written by scripts/generate: do not edit.

export interface Language {{
  readonly name: string;
  readonly aliases: readonly string[];
  /** Language ids of VS Code that mean it. The first is the one to show its code under. */
  readonly ids: readonly string[];
}}

export const LANGUAGES: readonly Language[] = [
{"".join(lines)}];
"""


def for_lua() -> str:
    """The module for the Neovim plugin."""
    lines = (
        f'  {{\n    name = "{known.name}",\n    aliases = {_table(known.aliases)},\n'
        f"    filetypes = {_table(known.neovim)},\n"
        f'    suffix = "{known.suffix.lstrip(".")}",\n  }},\n'
        for known in LANGUAGES
    )
    return f"""-- The daemon's languages. Written by scripts/generate: do not edit.

---@class oi.Language
---@field name string
---@field aliases string[]
---@field filetypes string[] Filetypes that mean it. The first is the one to show its code under.
---@field suffix string Of its files, without the dot.

---@type oi.Language[]
return {{
{"".join(lines)}}}
"""


def _table(values: Iterable[str]) -> str:
    listed = ", ".join(json.dumps(value) for value in values)
    return f"{{ {listed} }}" if listed else "{}"
