# The types of `import interpreter`: the attributes of an `Interpreter`, as those of a module.
# Type checkers know no other way; tests/client/test_types.py compares this file with the classes.

from oi_daemon.client.interpreter import Interpreter
from oi_daemon.messages.shapes import LastTurnDict, MessageDict, ResultDict, UsageDict
from oi_daemon.settings.shapes import (
    ApiChoice,
    ReasoningEffort,
    SandboxMode,
    ServiceTier,
    ToolStyle,
    Verbosity,
    Vision,
)

_interpreter: Interpreter
interpreter: Interpreter
OpenInterpreter = Interpreter

model: str
local: bool
auto_run: bool
debug_mode: bool
max_output: int
conversation_history: bool
conversation_filename: str | None
conversation_history_path: str | None
temperature: float | None
system_message: str
custom_instructions: str
agents_md: bool
context_window: int | None
max_tokens: int | None
api_base: str | None
api_key: str | None
max_budget: float | None
show_usage: bool
max_rounds: int
tool_style: ToolStyle
api: ApiChoice
reasoning_effort: ReasoningEffort
verbosity: Verbosity
service_tier: ServiceTier
extra_body: str | None
extra_headers: str | None
vision: Vision
python: str | None
max_seconds: float | None
max_memory: int | None
crash_proof: bool
crash_proof_memory: int
cwd: str | None
sandbox: SandboxMode
sandbox_folders: str | None
keep_files: bool
keep_files_size: int
keep_files_largest: int
keep_files_wait: float
keep_files_ignore: str | None
pass_keys: str | None
shared: bool
host: str | None
send_keys: bool
mcp: str | None

conversation: str
messages: list[MessageDict]
awaits_approval: bool
usage: UsageDict
last_turn: LastTurnDict
last_result: ResultDict | None

chat = _interpreter.chat
execute = _interpreter.execute
push = _interpreter.push
pull = _interpreter.pull
interrupt = _interpreter.interrupt
approve = _interpreter.approve
input = _interpreter.input
undo = _interpreter.undo
file_changes = _interpreter.file_changes
file_diffs = _interpreter.file_diffs
undo_files = _interpreter.undo_files
compact = _interpreter.compact
reset = _interpreter.reset
languages = _interpreter.languages
models = _interpreter.models
local_models = _interpreter.local_models
running = _interpreter.running
attach = _interpreter.attach
saved = _interpreter.saved
saved_messages = _interpreter.saved_messages
delete_saved = _interpreter.delete_saved
variables = _interpreter.variables
inspect = _interpreter.inspect
complete = _interpreter.complete
start = _interpreter.start
close = _interpreter.close
