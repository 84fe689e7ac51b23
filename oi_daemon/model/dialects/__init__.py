"""The ways in which models write code: tool calls, legacy function calls and Markdown fences."""
