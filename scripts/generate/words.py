"""Writes the words for what a conversation is doing, which are the same in every client."""

import json

from oi_daemon.terminal.activity import PHRASES, SILENT, WORDS


def for_typescript() -> str:
    """The module for the VS Code extension."""
    return f"""// What a conversation is doing, in words. Written by scripts/generate: do not edit.

export const WORDS = {{
{_entries(WORDS, ": ")}}} as const;

export const PHRASES = {{
{_entries(PHRASES, ": ")}}} as const;

/** Seconds after which the time is shown, and a model that was writing is waited for again. */
export const SILENT = {SILENT};
"""


def for_lua() -> str:
    """The module for the Neovim plugin."""
    return f"""-- What a conversation is doing, in words. Written by scripts/generate: do not edit.
local M = {{}}

---@type table<string, string>
M.WORDS = {{
{_entries(WORDS, " = ")}}}

---@type table<string, string>
M.PHRASES = {{
{_entries(PHRASES, " = ")}}}

-- Seconds after which the time is shown, and a model that was writing is waited for again.
M.SILENT = {SILENT}

return M
"""


def _entries(table: dict[str, str], between: str) -> str:
    texts = {name: json.dumps(text, ensure_ascii=False) for name, text in table.items()}
    return "".join(f"  {name}{between}{text},\n" for name, text in texts.items())
