"""The ways in which models write code: tool calls, function calls and Markdown fences."""
