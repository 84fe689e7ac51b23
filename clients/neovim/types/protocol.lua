---@meta
-- The types of docs/schema.json. Written by scripts/generate: do not edit.
-- A field that is null on the wire is not there in Lua.

---@class oi.ChatParams
---@field message string
---@field conversation? string Its id. Left out: the daemon's default conversation.
---@field settings? oi.Settings Settings that hold for this turn alone.
---@field displays? table<string, any>[] Pictures that go with the message: MIME bundles, data as base64.

---@class oi.TurnResult
---@field conversation string
---@field turn integer
---@field status "background"|"budget"|"done"|"interrupted"|"stopped"
---@field messages oi.StoredMessage[] Those that the turn added.
---@field usage oi.TurnUsage
---@field session oi.SessionUsage
---@field last_seq integer `seq` of the conversation's last notification; 0: there was none.

---@class oi.TurnUsage
---@field input_tokens integer
---@field output_tokens integer
---@field cost? number US dollars; null: the price is not known.
---@field about? boolean As in the session's usage.

---@class oi.SessionUsage What all turns of a session have used, also those that `oi/history/set` brought.
---@field input_tokens integer
---@field output_tokens integer
---@field cost number US dollars of the requests whose price is known.
---@field unpriced integer Requests whose price is not known.
---@field about? boolean Whether requests were counted by the price of an earlier version, because the model's own is not known.

---@class oi.ExecuteParams
---@field language string
---@field code string
---@field conversation? string Its id. Left out: the daemon's default conversation.
---@field background? boolean Let it go on in the background, and answer as soon as it runs.
---@field aside? boolean Keep and notify nothing of it; what it asks for is end of file.

---@class oi.ApproveParams
---@field approval string
---@field decision "always"|"run"|"skip"|"stop"
---@field conversation? string Its id. Left out: the daemon's default conversation.
---@field code? string With `run` and `always`: runs in place of the model's.

---@class oi.Accepted
---@field accepted boolean

---@class oi.InputParams
---@field input string
---@field value? string One line without its end; null: end of file.
---@field conversation? string Its id. Left out: the daemon's default conversation.

---@class oi.ConversationParams
---@field conversation? string Its id. Left out: the daemon's default conversation.

---@class oi.Interrupted
---@field interrupted boolean

---@class oi.AttachParams
---@field conversation string

---@class oi.Attached
---@field conversation string
---@field messages oi.StoredMessage[] All but those that the turn under way has added.
---@field state oi.ConversationState
---@field last_seq integer `seq` of the last chunk that is in this. The next one has a higher.
---@field settings oi.PublicSettings
---@field turn? oi.TurnSoFar Left out between turns, and before one has begun.

---@alias oi.ConversationState "approval"|"idle"|"input"|"retrying"|"running"|"thinking"

---@class oi.TurnSoFar The turn under way, as far as its chunks have been sent.
---@field messages oi.StoredMessage[] What it has added so far, without the person's words. The last may grow.
---@field finished integer How many of the messages can change no more.
---@field unfinished oi.Chunk[] Chunks that fold to the messages after the finished ones. Begin a fold with them, and go on with those that are notified.
---@field approval? oi.WaitingApproval
---@field input? oi.WaitingInput
---@field active_line? integer Number of the line that is being run, from 1.

---@class oi.WaitingApproval A block that waits: nothing runs until `oi/approve` names its id.
---@field id string
---@field code string
---@field language string

---@class oi.WaitingInput Code, or a question of the daemon, that waits for `oi/input`.
---@field id string
---@field prompt string
---@field password boolean

---@class oi.Empty The result of a method that gives nothing back.

---@class oi.InBackground
---@field block? string The id under which the block goes on; null: none ran.

---@class oi.BackgroundStopParams
---@field conversation? string Its id. Left out: the daemon's default conversation.
---@field block? string Its id. Left out: all of them.

---@class oi.Stopped
---@field stopped boolean False if there was no such block.

---@class oi.HistoryListParams
---@field limit? integer
---@field cursor? string
---@field query? string
---@field conversation? string Lists the folder that this one is kept in.

---@class oi.HistoryPage
---@field conversations oi.HistoryEntry[]
---@field cursor? string Of the next page, if there is one.
---@field passed_over? oi.PassedOverFile[] On the first page without a query: files in the folder that are left out.

---@class oi.HistoryEntry
---@field conversation string
---@field title string
---@field updated string ISO 8601, UTC.
---@field messages integer How many.
---@field snippet? string Where a query was found: the words around it, on one line.

---@class oi.PassedOverFile
---@field name string
---@field why string Why it is not in the list: words that follow the name.

---@class oi.HistoryMessages
---@field conversation string
---@field messages oi.StoredMessage[]

---@class oi.HistorySetParams
---@field messages any[]
---@field conversation? string Its id. Left out: the daemon's default conversation.
---@field usage? oi.SessionUsage What the session has used before, for a daemon that goes on with it.

---@class oi.ConversationResult
---@field conversation string

---@class oi.Removed
---@field removed oi.StoredMessage[]

---@class oi.HistoryDeleteParams
---@field conversation string

---@class oi.Deleted
---@field deleted boolean

---@class oi.FileBlocks
---@field blocks oi.FileBlock[] The oldest first.
---@field problem? string Why nothing is kept, for a person.

---@class oi.FileBlock What a block, or an undo, has done to files.
---@field block integer Its number in the conversation.
---@field files oi.FileEntry[]
---@field turn? integer Left out if it was in another run of the daemon.
---@field language? string Left out for an undo.
---@field undoes? integer[] Of an undo: the numbers that it undid.
---@field cut_off? boolean The daemon was killed during the block, so that what others changed after that may be among it.

---@class oi.FileEntry What has become of a path.
---@field path string Relative to the folder in which code runs, if it is inside.
---@field change "changed"|"created"|"deleted"
---@field kind "file"|"folder"|"link"|"pipe"
---@field size integer Bytes; of what was deleted, before.
---@field was? integer Bytes before, if its content was changed.
---@field mode? string Changed permissions, as in `rw-r--r-- to rwxr-xr-x`.
---@field lost? string Why it cannot be undone, for a person.
---@field undone? boolean

---@class oi.FilesParams Which files: those of a turn, of a block, or at and below a path. Left out: the latest turn's that are not undone.
---@field conversation? string Its id. Left out: the daemon's default conversation.
---@field turn? integer
---@field block? integer The number in a `files` notice.
---@field path? string The latest block's that has changed something there.

---@class oi.FileDiffs
---@field files oi.FileDiff[]

---@class oi.FileDiff A file before and after.
---@field block integer The latest one that has changed it.
---@field file oi.FileEntry
---@field before? string Its text; null: it was not there, or `text` is false.
---@field after? string
---@field text boolean Whether both are text, kept, and at most 1 MB long.
---@field diff string As `diff -u` writes it.

---@class oi.FilesUndoParams
---@field conversation? string Its id. Left out: the daemon's default conversation.
---@field turn? integer
---@field block? integer The number in a `files` notice.
---@field path? string The latest block's that has changed something there.
---@field redo? boolean Undo the latest undo.

---@class oi.FilesUndone
---@field block? integer The number of the undo, which can itself be undone; null: none was done
---@field files oi.FileEntry[] What it has done.
---@field refused oi.Refusal[]

---@class oi.Refusal A path that stays as it is.
---@field path string
---@field why string For a person.

---@class oi.SettingsSetParams
---@field settings oi.Settings
---@field conversation? string Its id. Left out: the daemon's default conversation.

---@class oi.NoParams The params of a method that takes none.

---@class oi.Languages
---@field languages oi.LanguageEntry[]

---@class oi.LanguageEntry
---@field name string
---@field aliases string[]
---@field available boolean
---@field suffix string Of its files, as in `.py`.
---@field lexer string Name of the Pygments lexer that highlights it.
---@field vscode string[] Language ids of VS Code that mean it, the one to show it under first.
---@field neovim string[] Filetypes of Neovim that mean it, the one to show it under first.
---@field why? string Why it is not available.
---@field path? string Of the program that runs it.
---@field version? string Of that program, if it says so in time.

---@class oi.ModelsResult
---@field server? oi.ServerEntry The hosted server that the settings name, with its models; null if they name none, or if it does not list its models.
---@field local oi.ServerEntry[] Servers found on their usual ports on this machine.
---@field offered oi.OfferedModel[] Models that connected clients offer.

---@class oi.ServerEntry
---@field api_base string
---@field models string[] Those that can chat; of a hosted server, the best ones first.

---@class oi.OfferedModel A model of a client.
---@field name string What the setting `model` holds to choose it. It begins with `client/`, or with `vscode/` for VS Code's models.
---@field title? string What a person reads in a list of models.
---@field context_window? integer Tokens, if known.
---@field tools? boolean Whether it can call tools. If not, it writes code in Markdown fences.
---@field pictures? boolean Whether it can see pictures.

---@class oi.StatusResult
---@field version string
---@field pid integer
---@field uptime number Seconds.
---@field memory integer Resident bytes of the daemon's process.
---@field conversations oi.ConversationStatus[]
---@field queues oi.QueueDepths
---@field problems string[] What is wrong and concerns a person, each a line: mistakes in the configuration, a folder that does not exist, a conversation that was not saved.

---@class oi.ConversationStatus
---@field conversation string
---@field state oi.ConversationState
---@field model string
---@field cost number US dollars of this session, as far as known.
---@field usage oi.SessionUsage
---@field processes? oi.ProcessEntry[] What its code has started and what runs now, such as servers. Linux only.
---@field background? oi.BackgroundEntry[] Blocks in the background.

---@class oi.ProcessEntry A process that code has started.
---@field pid integer
---@field language string
---@field command string At most 200 characters; known keys are redacted.
---@field seconds number How long it has been running.
---@field ports? integer[] TCP ports on which it listens.

---@class oi.BackgroundEntry A block in the background.
---@field block string
---@field language string
---@field seconds number How long it has been in the background.

---@class oi.QueueDepths
---@field requests integer Accepted and not answered.
---@field outgoing_bytes integer Written by the daemon, not yet read by the client.

---@class oi.ModelOfferParams Takes the place of what the client has offered before.
---@field models oi.OfferedModel[] Empty: the client offers none.

---@class oi.ModelReplyParams Some more of a model's answer.
---@field ask string
---@field text? string
---@field thinking? string Some more of its reasoning, if it tells it.
---@field calls? oi.ReplyCall[]
---@field usage? oi.ReplyUsage
---@field end? "filter"|"length"|"stop" With the last of the answer. `stop`: the model has ended it itself; `length`: it was cut off; `filter`: a content filter cut it off.
---@field error? oi.ReplyError Ends the answer.

---@class oi.ReplyCall A call of a tool, or some more of it.
---@field name? string Begins a call. Left out: goes on with the last one.
---@field id? string
---@field arguments? string|table<string, any> All of them as an object, or some more of their JSON text.

---@class oi.ReplyUsage The tokens of a request, as the model's provider counts them.
---@field input_tokens integer
---@field output_tokens integer

---@class oi.ReplyError Why the model cannot answer.
---@field message string What happened and what to do, for a person.
---@field kind? "auth"|"context"|"model"|"no_model"|"rate_limit" `auth`: the person has not allowed it, or is not signed in; `context`: the conversation is too long, and is sent again shortened; `rate_limit`: try later.

---@class oi.ModelReplyResult Whether the answer is still wanted.
---@field accepted boolean False: nobody waits for it; stop the model.

---@class oi.VariablesParams
---@field conversation? string Its id. Left out: the daemon's default conversation.
---@field language? string Left out: all languages that the conversation has used.
---@field limit? integer

---@class oi.Variables The variables of one or all language processes of a conversation.
---@field variables oi.VariableEntry[] Those that hold data first, each kind in the order of definition.
---@field more integer How many there are beyond the limit.
---@field unanswered string[] Languages that do not answer: while a block runs, or because they cannot.

---@class oi.VariableEntry A variable of a language process.
---@field name string
---@field type string The language's own name of it, as in `DataFrame`.
---@field preview string A short text for the value, on one line; `…` stands where something was left out. Empty if there was no time for it.
---@field language string
---@field size? integer How many items or characters it has.
---@field shape? integer[] Of an array or a table.
---@field bytes? integer Of an array or a table, without what its values only refer to.
---@field columns? oi.Column[] Of a table: the first 100, in their order.

---@class oi.Column A column of a table.
---@field name string
---@field type? string Of its values, as in `float64`.

---@class oi.PlaceParams A place in code that need not have been run.
---@field language string
---@field code string
---@field position integer How many characters (Unicode code points) are before it.
---@field conversation? string Its id. Left out: the daemon's default conversation.

---@class oi.Documentation What is known of the name at a place in code.
---@field data table<string, any> `text/plain` and `text/markdown`. Empty: there is no such name.

---@class oi.Completions What may stand at a place in code.
---@field matches string[] The best ones first.
---@field kinds string[] What each match is: `variable`, `function`, `class`, `module`, `property`, `parameter`, `key`, `keyword`, `command`, `file`, ...
---@field start integer Where the text begins that a match replaces.
---@field end integer

---@class oi.ChunkParams Params of the one notification, `oi/chunk`.
---@field conversation string
---@field turn integer
---@field seq integer
---@field chunk oi.Chunk
---@field state oi.ConversationState The conversation's, after this chunk. A turn's result means `idle`.
---@field first_seq? integer The first one's, where neighbouring chunks were joined.
---@field approval? string On `executing`: nothing runs until this id is approved.
---@field input? string On `input`: the id that `oi/input` names.
---@field result? oi.BlockResult On `end_of_execution`: how the block ended.

---@class oi.ModelAskParams Params of the notification `oi/model/ask`: what the client should ask its model.
---@field ask string The id that `oi/model/reply` names.
---@field model string The name under which it was offered.
---@field messages table<string, any>[] As in OpenAI's chat completions, the system's first.
---@field tools? table<string, any>[] Functions, as in OpenAI's chat completions.
---@field parameters? table<string, any> What the person has set: `temperature`, `max_tokens`, ... May be ignored.

---@class oi.ModelCancelParams Params of the notification `oi/model/cancel`: nobody waits for this answer any more.
---@field ask string

---@class oi.Chunk Exactly one of these.
---@field message? string
---@field language? string
---@field code? string
---@field executing? { code: string, language: string }
---@field active_line? integer
---@field output? string
---@field end_of_execution? true
---@field display? table<string, any> A Jupyter MIME bundle; binary data as base64.
---@field input? { prompt: string, password: boolean }
---@field declined? { by: "skip"|"stop"|"gone" }
---@field thinking? string
---@field notice? { kind: string, message: string, seconds?: number, block?: integer, files?: ({ path: string, change: "created"|"changed"|"deleted", size: integer })[] }
---@field event? { kind: string, message?: string, approval?: string, input?: string, status?: string }
---@field background? { block: string, chunk: table<string, any>, result?: oi.BlockResult }

---@class oi.BlockResult How a block ended.
---@field status "ok"|"error"|"interrupted"|"killed" `error`: the code raised, or its exit status is not 0; `killed`: its process ended.
---@field seconds number How long it took.
---@field exit? integer Its exit status, where it has one.
---@field error? oi.BlockError

---@class oi.BlockError
---@field name string Its class or kind, such as `ValueError`.
---@field message string
---@field traceback string[] Its lines; none if the language has none.

---@class oi.StoredMessage
---@field role "user"|"assistant"
---@field message? string
---@field displays? table<string, any>[]
---@field language? string
---@field code? string
---@field output? string Left out when the code was not run.
---@field status? "error"|"interrupted"|"killed"|"declined"
---@field error? oi.BlockError

---@class oi.Settings Settings to change. Those that are left out stay as they are.
---@field model? string The language model's name, or the path of a `.gguf` file.
---@field local? boolean Run the model on this machine instead of at a hosted service.
---@field auto_run? boolean Run the model's code without asking. Off: nothing runs unasked.
---@field debug_mode? boolean Print every step to stderr: request, tokens, cost, code, timings.
---@field max_output? integer Tokens of a block's output that the model gets to read.
---@field conversation_history? boolean Keep conversations on disk.
---@field conversation_filename? string File name of this conversation. Default: its first words and the time.
---@field conversation_history_path? string Folder of the conversations. Default: in the application directory.
---@field temperature? number Randomness of the model, 0 to 2. Default: the model's own.
---@field system_message? string What the model is told before the conversation.
---@field custom_instructions? string Instructions of yours that are added to the system message.
---@field agents_md? boolean Give the model the instructions in `AGENTS.md`, if the folder in which code runs has one.
---@field context_window? integer The model's context window in tokens. Default: known by its name.
---@field max_tokens? integer Most tokens that the model may write in one response. Default: its own.
---@field api_base? string Base URL of an OpenAI-compatible server. Default: OpenAI's.
---@field api_key? string Key for the server. Default: OPENAI_API_KEY.
---@field max_budget? number Most US dollars that a session may cost. Default: no limit.
---@field show_usage? boolean Show tokens and cost after each turn, in the terminal.
---@field max_rounds? integer Most requests to the model within one turn.
---@field tool_style? "auto"|"functions"|"markdown"|"tools" How the model is asked to write code: `tools`, legacy `functions`, `markdown` fences, or whichever the server takes (`auto`).
---@field reasoning_effort? "default"|"high"|"low"|"max"|"medium"|"minimal"|"none"|"xhigh" How long a reasoning model thinks: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, or as the model's maker has chosen (`default`).
---@field verbosity? "default"|"high"|"low"|"medium" How much the model says: `low`, `medium`, `high`, or as its maker has chosen (`default`). For models that know it.
---@field service_tier? "auto"|"default"|"flex"|"priority" Price and speed of the requests: `default`, `flex` (cheaper and slower), `priority` (dearer and faster), or as the account is set (`auto`).
---@field extra_body? string More parameters of each request to the model, as a JSON object. They replace ours.
---@field extra_headers? string More HTTP headers of each request to the model, as a JSON object.
---@field api? "auto"|"chat"|"responses" How the server is asked: by chat completions (`chat`), by OpenAI's `responses`, or whichever suits the model (`auto`).
---@field vision? "auto"|"off"|"on" Send pictures that code shows to the model: `on`, `off`, or to models that are known to take them (`auto`).
---@field python? string Python that runs the code. Default: the active virtual environment's.
---@field max_seconds? number Seconds for which a block may run; then it is interrupted. Default: no limit.
---@field max_memory? integer Megabytes that a language and what it has started may take; then the largest process is killed. Linux only. Default: no limit.
---@field crash_proof? boolean Keep a standby of Python's process, so that a crash does not lose the variables. Linux only.
---@field crash_proof_memory? integer Megabytes of Python's memory above which no standby is kept.
---@field cwd? string Folder in which code runs. Default: where the client is.
---@field sandbox? "isolated"|"none"|"write-protect" How code runs: with all of your rights (`none`), writing in its own folder only (`write-protect`), or without network and home folder too (`isolated`).
---@field sandbox_folders? string More folders that code in a sandbox may write in, with a colon between.
---@field keep_files? boolean Keep what files in the working folder held before each block, so that what code did to them can be seen and undone.
---@field keep_files_size? integer Megabytes of files that are kept for a conversation.
---@field keep_files_largest? integer Megabytes above which a file is not kept.
---@field keep_files_wait? number Most seconds that a block waits until files are kept, which only a conversation's first one usually does.
---@field keep_files_ignore? string Files that are not kept, beside what Git ignores: patterns as in a `.gitignore`, with a comma between. Those with a `!` are kept.
---@field pass_keys? string Environment variables with keys of model servers that code gets all the same, with a comma between. Default: code gets none.
---@field shared? boolean In the terminal and the library: use the daemon that all clients share, which outlives them, instead of a private one.
---@field host? string In the terminal and the library: use the daemon on another machine, by its name for ssh, or in a container: `docker:NAME`, `podman:NAME`, `kubectl:NAME`.
---@field send_keys? boolean Send the key that is set here, and extra headers, to the daemon at `host`. Off: what is set there is used.
---@field mcp? string MCP servers whose tools the model and its Python code may call, each a table `[mcp.NAME]` with `command` and `args`, or `url`.

---@class oi.PublicSettings All settings, as a client may see them.
---@field model string The language model's name, or the path of a `.gguf` file.
---@field local boolean Run the model on this machine instead of at a hosted service.
---@field auto_run boolean Run the model's code without asking. Off: nothing runs unasked.
---@field debug_mode boolean Print every step to stderr: request, tokens, cost, code, timings.
---@field max_output integer Tokens of a block's output that the model gets to read.
---@field conversation_history boolean Keep conversations on disk.
---@field conversation_filename? string File name of this conversation. Default: its first words and the time.
---@field conversation_history_path? string Folder of the conversations. Default: in the application directory.
---@field temperature? number Randomness of the model, 0 to 2. Default: the model's own.
---@field system_message string What the model is told before the conversation.
---@field custom_instructions string Instructions of yours that are added to the system message.
---@field agents_md boolean Give the model the instructions in `AGENTS.md`, if the folder in which code runs has one.
---@field context_window? integer The model's context window in tokens. Default: known by its name.
---@field max_tokens? integer Most tokens that the model may write in one response. Default: its own.
---@field api_base? string Base URL of an OpenAI-compatible server. Default: OpenAI's.
---@field api_key boolean Whether a key is set.
---@field max_budget? number Most US dollars that a session may cost. Default: no limit.
---@field show_usage boolean Show tokens and cost after each turn, in the terminal.
---@field max_rounds integer Most requests to the model within one turn.
---@field tool_style "auto"|"functions"|"markdown"|"tools" How the model is asked to write code: `tools`, legacy `functions`, `markdown` fences, or whichever the server takes (`auto`).
---@field reasoning_effort "default"|"high"|"low"|"max"|"medium"|"minimal"|"none"|"xhigh" How long a reasoning model thinks: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, or as the model's maker has chosen (`default`).
---@field verbosity "default"|"high"|"low"|"medium" How much the model says: `low`, `medium`, `high`, or as its maker has chosen (`default`). For models that know it.
---@field service_tier "auto"|"default"|"flex"|"priority" Price and speed of the requests: `default`, `flex` (cheaper and slower), `priority` (dearer and faster), or as the account is set (`auto`).
---@field extra_body? string More parameters of each request to the model, as a JSON object. They replace ours.
---@field extra_headers? string More HTTP headers of each request to the model, as a JSON object.
---@field api "auto"|"chat"|"responses" How the server is asked: by chat completions (`chat`), by OpenAI's `responses`, or whichever suits the model (`auto`).
---@field vision "auto"|"off"|"on" Send pictures that code shows to the model: `on`, `off`, or to models that are known to take them (`auto`).
---@field python? string Python that runs the code. Default: the active virtual environment's.
---@field max_seconds? number Seconds for which a block may run; then it is interrupted. Default: no limit.
---@field max_memory? integer Megabytes that a language and what it has started may take; then the largest process is killed. Linux only. Default: no limit.
---@field crash_proof boolean Keep a standby of Python's process, so that a crash does not lose the variables. Linux only.
---@field crash_proof_memory integer Megabytes of Python's memory above which no standby is kept.
---@field cwd? string Folder in which code runs. Default: where the client is.
---@field sandbox "isolated"|"none"|"write-protect" How code runs: with all of your rights (`none`), writing in its own folder only (`write-protect`), or without network and home folder too (`isolated`).
---@field sandbox_folders? string More folders that code in a sandbox may write in, with a colon between.
---@field keep_files boolean Keep what files in the working folder held before each block, so that what code did to them can be seen and undone.
---@field keep_files_size integer Megabytes of files that are kept for a conversation.
---@field keep_files_largest integer Megabytes above which a file is not kept.
---@field keep_files_wait number Most seconds that a block waits until files are kept, which only a conversation's first one usually does.
---@field keep_files_ignore? string Files that are not kept, beside what Git ignores: patterns as in a `.gitignore`, with a comma between. Those with a `!` are kept.
---@field pass_keys? string Environment variables with keys of model servers that code gets all the same, with a comma between. Default: code gets none.
---@field shared boolean In the terminal and the library: use the daemon that all clients share, which outlives them, instead of a private one.
---@field host? string In the terminal and the library: use the daemon on another machine, by its name for ssh, or in a container: `docker:NAME`, `podman:NAME`, `kubectl:NAME`.
---@field send_keys boolean Send the key that is set here, and extra headers, to the daemon at `host`. Off: what is set there is used.
---@field mcp? string MCP servers whose tools the model and its Python code may call, each a table `[mcp.NAME]` with `command` and `args`, or `url`.

---@class oi.Request Sends a request; the callback gets its answer.
---@overload fun(method: "oi/stream", params: oi.ChatParams, callback?: fun(err?: oi.Error, result?: oi.TurnResult))
---@overload fun(method: "oi/chat", params: oi.ChatParams, callback?: fun(err?: oi.Error, result?: oi.TurnResult))
---@overload fun(method: "oi/execute", params: oi.ExecuteParams, callback?: fun(err?: oi.Error, result?: oi.TurnResult))
---@overload fun(method: "oi/approve", params: oi.ApproveParams, callback?: fun(err?: oi.Error, result?: oi.Accepted))
---@overload fun(method: "oi/input", params: oi.InputParams, callback?: fun(err?: oi.Error, result?: oi.Accepted))
---@overload fun(method: "oi/interrupt", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.Interrupted))
---@overload fun(method: "oi/attach", params: oi.AttachParams, callback?: fun(err?: oi.Error, result?: oi.Attached))
---@overload fun(method: "oi/detach", params: oi.AttachParams, callback?: fun(err?: oi.Error, result?: oi.Empty))
---@overload fun(method: "oi/background", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.InBackground))
---@overload fun(method: "oi/background/stop", params: oi.BackgroundStopParams, callback?: fun(err?: oi.Error, result?: oi.Stopped))
---@overload fun(method: "oi/close", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.Empty))
---@overload fun(method: "oi/history/list", params: oi.HistoryListParams, callback?: fun(err?: oi.Error, result?: oi.HistoryPage))
---@overload fun(method: "oi/history/get", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.HistoryMessages))
---@overload fun(method: "oi/history/set", params: oi.HistorySetParams, callback?: fun(err?: oi.Error, result?: oi.ConversationResult))
---@overload fun(method: "oi/history/undo", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.Removed))
---@overload fun(method: "oi/history/compact", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.TurnResult))
---@overload fun(method: "oi/history/reset", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.Empty))
---@overload fun(method: "oi/history/delete", params: oi.HistoryDeleteParams, callback?: fun(err?: oi.Error, result?: oi.Deleted))
---@overload fun(method: "oi/files/list", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.FileBlocks))
---@overload fun(method: "oi/files/diff", params: oi.FilesParams, callback?: fun(err?: oi.Error, result?: oi.FileDiffs))
---@overload fun(method: "oi/files/undo", params: oi.FilesUndoParams, callback?: fun(err?: oi.Error, result?: oi.FilesUndone))
---@overload fun(method: "oi/settings/get", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.PublicSettings))
---@overload fun(method: "oi/settings/set", params: oi.SettingsSetParams, callback?: fun(err?: oi.Error, result?: oi.PublicSettings))
---@overload fun(method: "oi/languages", params: oi.NoParams, callback?: fun(err?: oi.Error, result?: oi.Languages))
---@overload fun(method: "oi/models", params: oi.ConversationParams, callback?: fun(err?: oi.Error, result?: oi.ModelsResult))
---@overload fun(method: "oi/status", params: oi.NoParams, callback?: fun(err?: oi.Error, result?: oi.StatusResult))
---@overload fun(method: "oi/model/offer", params: oi.ModelOfferParams, callback?: fun(err?: oi.Error, result?: oi.Empty))
---@overload fun(method: "oi/model/reply", params: oi.ModelReplyParams, callback?: fun(err?: oi.Error, result?: oi.ModelReplyResult))
---@overload fun(method: "oi/variables", params: oi.VariablesParams, callback?: fun(err?: oi.Error, result?: oi.Variables))
---@overload fun(method: "oi/inspect", params: oi.PlaceParams, callback?: fun(err?: oi.Error, result?: oi.Documentation))
---@overload fun(method: "oi/complete", params: oi.PlaceParams, callback?: fun(err?: oi.Error, result?: oi.Completions))
