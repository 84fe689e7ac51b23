# The types of `import interpreter`: what the object has, as a module.

from typing import Any, Literal

from oi_daemon.client.interpreter import Interpreter

_interpreter: Interpreter

model: str
local: bool
auto_run: bool
debug_mode: bool
max_output: int
conversation_history: bool
conversation_filename: str | None
conversation_history_path: str | None
temperature: float
system_message: str
context_window: int | None
max_tokens: int | None
api_base: str | None
api_key: str | None
max_budget: float | None
max_rounds: int
tool_style: Literal["auto", "tools", "functions", "markdown"]
vision: Literal["auto", "on", "off"]
python: str | None
max_seconds: float | None
max_memory: int | None
crash_proof: bool
crash_proof_memory: int
cwd: str | None
sandbox: Literal["none", "write-protect", "isolated"]
sandbox_folders: str | None

conversation: str
messages: list[dict[str, Any]]
awaits_approval: bool
usage: dict[str, Any]
last_turn: dict[str, Any]

chat = _interpreter.chat
execute = _interpreter.execute
approve = _interpreter.approve
input = _interpreter.input
undo = _interpreter.undo
reset = _interpreter.reset
local_models = _interpreter.local_models
saved = _interpreter.saved
start = _interpreter.start
close = _interpreter.close
