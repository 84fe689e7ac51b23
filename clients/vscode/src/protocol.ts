// The types of docs/schema.json. Written by scripts/generate: do not edit.

export interface ChatParams {
  message: string;
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
  /** Settings that hold for this turn alone. */
  settings?: Settings;
  /** Pictures that go with the message: MIME bundles, data as base64. */
  displays?: (Record<string, unknown>)[];
}

export interface TurnResult {
  conversation: string;
  turn: number;
  status: "background" | "budget" | "done" | "interrupted" | "stopped";
  /** Those that the turn added. */
  messages: StoredMessage[];
  usage: TurnUsage;
  session: SessionUsage;
  /** `seq` of the conversation's last notification; 0: there was none. */
  last_seq: number;
}

export interface TurnUsage {
  input_tokens: number;
  output_tokens: number;
  /** US dollars; null: the price is not known. */
  cost: number | null;
  /** As in the session's usage. */
  about?: boolean;
}

/** What all turns of a session have used, also those that `oi/history/set` brought. */
export interface SessionUsage {
  input_tokens: number;
  output_tokens: number;
  /** US dollars of the requests whose price is known. */
  cost: number;
  /** Requests whose price is not known. */
  unpriced: number;
  /** Whether requests were counted by the price of an earlier version, because the model's own is not known. */
  about?: boolean;
}

export interface ExecuteParams {
  language: string;
  code: string;
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
  /** Let it go on in the background, and answer as soon as it runs. */
  background?: boolean;
  /** Keep and notify nothing of it; what it asks for is end of file. */
  aside?: boolean;
}

export interface ApproveParams {
  approval: string;
  decision: "always" | "run" | "skip" | "stop";
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
  /** With `run` and `always`: runs in place of the model's. */
  code?: string | null;
}

export interface Accepted {
  accepted: boolean;
}

export interface InputParams {
  input: string;
  /** One line without its end; null: end of file. */
  value: string | null;
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
}

export interface ConversationParams {
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
}

export interface Interrupted {
  interrupted: boolean;
}

export interface AttachParams {
  conversation: string;
}

export interface Attached {
  conversation: string;
  /** All but those that the turn under way has added. */
  messages: StoredMessage[];
  state: ConversationState;
  /** `seq` of the last chunk that is in this. The next one has a higher. */
  last_seq: number;
  settings: PublicSettings;
  /** Left out between turns, and before one has begun. */
  turn?: TurnSoFar | null;
}

/** What a conversation is doing. The daemon decides it; clients derive nothing. */
export type ConversationState = "approval" | "idle" | "input" | "retrying" | "running" | "thinking";

/** The turn under way, as far as its chunks have been sent. */
export interface TurnSoFar {
  /** What it has added so far, without the person's words. The last may grow. */
  messages: StoredMessage[];
  /** How many of the messages can change no more. */
  finished: number;
  /** Chunks that fold to the messages after the finished ones. Begin a fold with them, and go on with those that are notified. */
  unfinished: Chunk[];
  approval?: WaitingApproval | null;
  input?: WaitingInput | null;
  /** Number of the line that is being run, from 1. */
  active_line?: number | null;
}

/** A block that waits: nothing runs until `oi/approve` names its id. */
export interface WaitingApproval {
  id: string;
  code: string;
  language: string;
}

/** Code, or a question of the daemon, that waits for `oi/input`. */
export interface WaitingInput {
  id: string;
  prompt: string;
  password: boolean;
}

/** The result of a method that gives nothing back. */
export type Empty = Record<string, never>;

export interface InBackground {
  /** The id under which the block goes on; null: none ran. */
  block: string | null;
}

export interface BackgroundStopParams {
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
  /** Its id. Left out: all of them. */
  block?: string | null;
}

export interface Stopped {
  /** False if there was no such block. */
  stopped: boolean;
}

export interface HistoryListParams {
  limit?: number;
  cursor?: string | null;
  query?: string | null;
  /** Lists the folder that this one is kept in. */
  conversation?: string | null;
}

export interface HistoryPage {
  conversations: HistoryEntry[];
  /** Of the next page, if there is one. */
  cursor?: string | null;
  /** On the first page without a query: files in the folder that are left out. */
  passed_over?: PassedOverFile[];
}

export interface HistoryEntry {
  conversation: string;
  title: string;
  /** ISO 8601, UTC. */
  updated: string;
  /** How many. */
  messages: number;
  /** Where a query was found: the words around it, on one line. */
  snippet?: string | null;
}

export interface PassedOverFile {
  name: string;
  /** Why it is not in the list: words that follow the name. */
  why: string;
}

export interface HistoryMessages {
  conversation: string;
  messages: StoredMessage[];
}

export interface HistorySetParams {
  messages: unknown[];
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
  /** What the session has used before, for a daemon that goes on with it. */
  usage?: SessionUsage | null;
}

export interface ConversationResult {
  conversation: string;
}

export interface Removed {
  removed: StoredMessage[];
}

export interface HistoryDeleteParams {
  conversation: string;
}

export interface Deleted {
  deleted: boolean;
}

export interface FileBlocks {
  /** The oldest first. */
  blocks: FileBlock[];
  /** Why nothing is kept, for a person. */
  problem: string | null;
}

/** What a block, or an undo, has done to files. */
export interface FileBlock {
  /** Its number in the conversation. */
  block: number;
  files: FileEntry[];
  /** Left out if it was in another run of the daemon. */
  turn?: number | null;
  /** Left out for an undo. */
  language?: string | null;
  /** Of an undo: the numbers that it undid. */
  undoes?: number[];
  /** The daemon was killed during the block, so that what others changed after that may be among it. */
  cut_off?: boolean;
}

/** What has become of a path. */
export interface FileEntry {
  /** Relative to the folder in which code runs, if it is inside. */
  path: string;
  change: "changed" | "created" | "deleted";
  kind: "file" | "folder" | "link" | "pipe";
  /** Bytes; of what was deleted, before. */
  size: number;
  /** Bytes before, if its content was changed. */
  was?: number | null;
  /** Changed permissions, as in `rw-r--r-- to rwxr-xr-x`. */
  mode?: string | null;
  /** Why it cannot be undone, for a person. */
  lost?: string | null;
  undone?: boolean;
}

/** Which files: those of a turn, of a block, or at and below a path. Left out: the latest turn's that are not undone. */
export interface FilesParams {
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
  turn?: number | null;
  /** The number in a `files` notice. */
  block?: number | null;
  /** The latest block's that has changed something there. */
  path?: string | null;
}

export interface FileDiffs {
  files: FileDiff[];
}

/** A file before and after. */
export interface FileDiff {
  /** The latest one that has changed it. */
  block: number;
  file: FileEntry;
  /** Its text; null: it was not there, or `text` is false. */
  before: string | null;
  after: string | null;
  /** Whether both are text, kept, and at most 1 MB long. */
  text: boolean;
  /** As `diff -u` writes it. */
  diff: string;
}

export interface FilesUndoParams {
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
  turn?: number | null;
  /** The number in a `files` notice. */
  block?: number | null;
  /** The latest block's that has changed something there. */
  path?: string | null;
  /** Undo the latest undo. */
  redo?: boolean;
}

export interface FilesUndone {
  /** The number of the undo, which can itself be undone; null: none was done */
  block: number | null;
  /** What it has done. */
  files: FileEntry[];
  refused: Refusal[];
}

/** A path that stays as it is. */
export interface Refusal {
  path: string;
  /** For a person. */
  why: string;
}

export interface SettingsSetParams {
  settings: Settings;
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
}

/** The params of a method that takes none. */
export type NoParams = Record<string, never>;

export interface Languages {
  languages: LanguageEntry[];
}

export interface LanguageEntry {
  name: string;
  aliases: string[];
  available: boolean;
  /** Of its files, as in `.py`. */
  suffix: string;
  /** Name of the Pygments lexer that highlights it. */
  lexer: string;
  /** Language ids of VS Code that mean it, the one to show it under first. */
  vscode: string[];
  /** Filetypes of Neovim that mean it, the one to show it under first. */
  neovim: string[];
  /** Why it is not available. */
  why?: string | null;
  /** Of the program that runs it. */
  path?: string | null;
  /** Of that program, if it says so in time. */
  version?: string | null;
}

export interface ModelsResult {
  /** The hosted server that the settings name, with its models; null if they name none, or if it does not list its models. */
  server: ServerEntry | null;
  /** Servers found on their usual ports on this machine. */
  local: ServerEntry[];
  /** Models that connected clients offer. */
  offered: OfferedModel[];
}

export interface ServerEntry {
  api_base: string;
  /** Those that can chat; of a hosted server, the best ones first. */
  models: string[];
}

/** A model of a client. */
export interface OfferedModel {
  /** What the setting `model` holds to choose it. It begins with `client/`, or with `vscode/` for VS Code's models. */
  name: string;
  /** What a person reads in a list of models. */
  title?: string;
  /** Tokens, if known. */
  context_window?: number | null;
  /** Whether it can call tools. If not, it writes code in Markdown fences. */
  tools?: boolean;
  /** Whether it can see pictures. */
  pictures?: boolean;
}

export interface StatusResult {
  version: string;
  pid: number;
  /** Seconds. */
  uptime: number;
  /** Resident bytes of the daemon's process. */
  memory: number;
  conversations: ConversationStatus[];
  queues: QueueDepths;
  /** What is wrong and concerns a person, each a line: mistakes in the configuration, a folder that does not exist, a conversation that was not saved. */
  problems: string[];
}

export interface ConversationStatus {
  conversation: string;
  state: ConversationState;
  model: string;
  /** US dollars of this session, as far as known. */
  cost: number;
  usage: SessionUsage;
  /** What its code has started and what runs now, such as servers. Linux only. */
  processes?: ProcessEntry[];
  /** Blocks in the background. */
  background?: BackgroundEntry[];
}

/** A process that code has started. */
export interface ProcessEntry {
  pid: number;
  language: string;
  /** At most 200 characters; known keys are redacted. */
  command: string;
  /** How long it has been running. */
  seconds: number;
  /** TCP ports on which it listens. */
  ports?: number[];
}

/** A block in the background. */
export interface BackgroundEntry {
  block: string;
  language: string;
  /** How long it has been in the background. */
  seconds: number;
}

export interface QueueDepths {
  /** Accepted and not answered. */
  requests: number;
  /** Written by the daemon, not yet read by the client. */
  outgoing_bytes: number;
}

/** Takes the place of what the client has offered before. */
export interface ModelOfferParams {
  /** Empty: the client offers none. */
  models: OfferedModel[];
}

/** Some more of a model's answer. */
export interface ModelReplyParams {
  ask: string;
  text?: string;
  /** Some more of its reasoning, if it tells it. */
  thinking?: string;
  calls?: ReplyCall[];
  usage?: ReplyUsage | null;
  /** With the last of the answer. `stop`: the model has ended it itself; `length`: it was cut off; `filter`: a content filter cut it off. */
  end?: "filter" | "length" | "stop" | null;
  /** Ends the answer. */
  error?: ReplyError | null;
}

/** A call of a tool, or some more of it. */
export interface ReplyCall {
  /** Begins a call. Left out: goes on with the last one. */
  name?: string | null;
  id?: string | null;
  /** All of them as an object, or some more of their JSON text. */
  arguments?: string | Record<string, unknown>;
}

/** The tokens of a request, as the model's provider counts them. */
export interface ReplyUsage {
  input_tokens: number;
  output_tokens: number;
}

/** Why the model cannot answer. */
export interface ReplyError {
  /** What happened and what to do, for a person. */
  message: string;
  /** `auth`: the person has not allowed it, or is not signed in; `context`: the conversation is too long, and is sent again shortened; `rate_limit`: try later. */
  kind?: "auth" | "context" | "model" | "no_model" | "rate_limit";
}

/** Whether the answer is still wanted. */
export interface ModelReplyResult {
  /** False: nobody waits for it; stop the model. */
  accepted: boolean;
}

export interface VariablesParams {
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
  /** Left out: all languages that the conversation has used. */
  language?: string | null;
  limit?: number;
}

/** The variables of one or all language processes of a conversation. */
export interface Variables {
  /** Those that hold data first, each kind in the order of definition. */
  variables: VariableEntry[];
  /** How many there are beyond the limit. */
  more: number;
  /** Languages that do not answer: while a block runs, or because they cannot. */
  unanswered: string[];
}

/** A variable of a language process. */
export interface VariableEntry {
  name: string;
  /** The language's own name of it, as in `DataFrame`. */
  type: string;
  /** A short text for the value, on one line; `…` stands where something was left out. Empty if there was no time for it. */
  preview: string;
  language: string;
  /** How many items or characters it has. */
  size?: number | null;
  /** Of an array or a table. */
  shape?: number[] | null;
  /** Of an array or a table, without what its values only refer to. */
  bytes?: number | null;
  /** Of a table: the first 100, in their order. */
  columns?: Column[] | null;
}

/** A column of a table. */
export interface Column {
  name: string;
  /** Of its values, as in `float64`. */
  type?: string;
}

/** A place in code that need not have been run. */
export interface PlaceParams {
  language: string;
  code: string;
  /** How many characters (Unicode code points) are before it. */
  position: number;
  /** Its id. Left out: the daemon's default conversation. */
  conversation?: string | null;
}

/** What is known of the name at a place in code. */
export interface Documentation {
  /** `text/plain` and `text/markdown`. Empty: there is no such name. */
  data: Record<string, unknown>;
}

/** What may stand at a place in code. */
export interface Completions {
  /** The best ones first. */
  matches: string[];
  /** What each match is: `variable`, `function`, `class`, `module`, `property`, `parameter`, `key`, `keyword`, `command`, `file`, ... */
  kinds: string[];
  /** Where the text begins that a match replaces. */
  start: number;
  end: number;
}

/** Params of the one notification, `oi/chunk`. */
export interface ChunkParams {
  conversation: string;
  turn: number;
  seq: number;
  chunk: Chunk;
  /** The conversation's, after this chunk. A turn's result means `idle`. */
  state: ConversationState;
  /** The first one's, where neighbouring chunks were joined. */
  first_seq?: number | null;
  /** On `executing`: nothing runs until this id is approved. */
  approval?: string | null;
  /** On `input`: the id that `oi/input` names. */
  input?: string | null;
  /** On `end_of_execution`: how the block ended. */
  result?: BlockResult | null;
}

/** Params of the notification `oi/model/ask`: what the client should ask its model. */
export interface ModelAskParams {
  /** The id that `oi/model/reply` names. */
  ask: string;
  /** The name under which it was offered. */
  model: string;
  /** As in OpenAI's chat completions, the system's first. */
  messages: (Record<string, unknown>)[];
  /** Functions, as in OpenAI's chat completions. */
  tools?: (Record<string, unknown>)[];
  /** What the person has set: `temperature`, `max_tokens`, ... May be ignored. */
  parameters?: Record<string, unknown>;
}

/** Params of the notification `oi/model/cancel`: nobody waits for this answer any more. */
export interface ModelCancelParams {
  ask: string;
}

/** Exactly one of these. */
export type Chunk =
  | { message: string; }
  | { language: string; }
  | { code: string; }
  | { executing: { code: string; language: string; }; }
  | { active_line: number | null; }
  | { output: string; }
  | { end_of_execution: true; }
  | { display: Record<string, unknown>; }
  | { input: { prompt: string; password: boolean; }; }
  | { declined: { by: "skip" | "stop" | "gone"; }; }
  | { thinking: string; }
  | { notice: { kind: string; message: string; seconds?: number; block?: number; files?: ({ path: string; change: "created" | "changed" | "deleted"; size: number; })[]; }; }
  | { event: { kind: string; message?: string; approval?: string; input?: string; status?: string; }; }
  | { background: { block: string; chunk: Record<string, unknown>; result?: BlockResult; }; };

/** How a block ended. */
export interface BlockResult {
  /** `error`: the code raised, or its exit status is not 0; `killed`: its process ended. */
  status: "ok" | "error" | "interrupted" | "killed";
  /** How long it took. */
  seconds: number;
  /** Its exit status, where it has one. */
  exit?: number;
  error?: BlockError;
}

export interface BlockError {
  /** Its class or kind, such as `ValueError`. */
  name: string;
  message: string;
  /** Its lines; none if the language has none. */
  traceback: string[];
}

export type StoredMessage =
  | { role: "user" | "assistant"; message: string; displays?: (Record<string, unknown>)[]; }
  | { role: "assistant"; language: string; code: string; output?: string; displays?: (Record<string, unknown>)[]; status?: "error" | "interrupted" | "killed" | "declined"; error?: BlockError; };

/** Settings to change. Those that are left out stay as they are. */
export interface Settings {
  /** The language model's name, or the path of a `.gguf` file. */
  model?: string;
  /** Run the model on this machine instead of at a hosted service. */
  local?: boolean;
  /** Run the model's code without asking. Off: nothing runs unasked. */
  auto_run?: boolean;
  /** Print every step to stderr: request, tokens, cost, code, timings. */
  debug_mode?: boolean;
  /** Tokens of a block's output that the model gets to read. */
  max_output?: number;
  /** Keep conversations on disk. */
  conversation_history?: boolean;
  /** File name of this conversation. Default: its first words and the time. */
  conversation_filename?: string | null;
  /** Folder of the conversations. Default: in the application directory. */
  conversation_history_path?: string | null;
  /** Randomness of the model, 0 to 2. Default: the model's own. */
  temperature?: number | null;
  /** What the model is told before the conversation. */
  system_message?: string;
  /** Instructions of yours that are added to the system message. */
  custom_instructions?: string;
  /** Give the model the instructions in `AGENTS.md`, if the folder in which code runs has one. */
  agents_md?: boolean;
  /** The model's context window in tokens. Default: known by its name. */
  context_window?: number | null;
  /** Most tokens that the model may write in one response. Default: its own. */
  max_tokens?: number | null;
  /** Base URL of an OpenAI-compatible server. Default: OpenAI's. */
  api_base?: string | null;
  /** Key for the server. Default: OPENAI_API_KEY. */
  api_key?: string | null;
  /** Most US dollars that a session may cost. Default: no limit. */
  max_budget?: number | null;
  /** Show tokens and cost after each turn, in the terminal. */
  show_usage?: boolean;
  /** Most requests to the model within one turn. */
  max_rounds?: number;
  /** How the model is asked to write code: `tools`, legacy `functions`, `markdown` fences, or whichever the server takes (`auto`). */
  tool_style?: "auto" | "functions" | "markdown" | "tools";
  /** How long a reasoning model thinks: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, or as the model's maker has chosen (`default`). */
  reasoning_effort?: "default" | "high" | "low" | "max" | "medium" | "minimal" | "none" | "xhigh";
  /** How much the model says: `low`, `medium`, `high`, or as its maker has chosen (`default`). For models that know it. */
  verbosity?: "default" | "high" | "low" | "medium";
  /** Price and speed of the requests: `default`, `flex` (cheaper and slower), `priority` (dearer and faster), or as the account is set (`auto`). */
  service_tier?: "auto" | "default" | "flex" | "priority";
  /** More parameters of each request to the model, as a JSON object. They replace ours. */
  extra_body?: string | null;
  /** More HTTP headers of each request to the model, as a JSON object. */
  extra_headers?: string | null;
  /** How the server is asked: by chat completions (`chat`), by OpenAI's `responses`, or whichever suits the model (`auto`). */
  api?: "auto" | "chat" | "responses";
  /** Send pictures that code shows to the model: `on`, `off`, or to models that are known to take them (`auto`). */
  vision?: "auto" | "off" | "on";
  /** Python that runs the code. Default: the active virtual environment's. */
  python?: string | null;
  /** Seconds for which a block may run; then it is interrupted. Default: no limit. */
  max_seconds?: number | null;
  /** Megabytes that a language and what it has started may take; then the largest process is killed. Linux only. Default: no limit. */
  max_memory?: number | null;
  /** Keep a standby of Python's process, so that a crash does not lose the variables. Linux only. */
  crash_proof?: boolean;
  /** Megabytes of Python's memory above which no standby is kept. */
  crash_proof_memory?: number;
  /** Folder in which code runs. Default: where the client is. */
  cwd?: string | null;
  /** How code runs: with all of your rights (`none`), writing in its own folder only (`write-protect`), or without network and home folder too (`isolated`). */
  sandbox?: "isolated" | "none" | "write-protect";
  /** More folders that code in a sandbox may write in, with a colon between. */
  sandbox_folders?: string | null;
  /** Keep what files in the working folder held before each block, so that what code did to them can be seen and undone. */
  keep_files?: boolean;
  /** Megabytes of files that are kept for a conversation. */
  keep_files_size?: number;
  /** Megabytes above which a file is not kept. */
  keep_files_largest?: number;
  /** Most seconds that a block waits until files are kept, which only a conversation's first one usually does. */
  keep_files_wait?: number;
  /** Files that are not kept, beside what Git ignores: patterns as in a `.gitignore`, with a comma between. Those with a `!` are kept. */
  keep_files_ignore?: string | null;
  /** Environment variables with keys of model servers that code gets all the same, with a comma between. Default: code gets none. */
  pass_keys?: string | null;
  /** In the terminal and the library: use the daemon that all clients share, which outlives them, instead of a private one. */
  shared?: boolean;
  /** In the terminal and the library: use the daemon on another machine, by its name for ssh, or in a container: `docker:NAME`, `podman:NAME`, `kubectl:NAME`. */
  host?: string | null;
  /** Send the key that is set here, and extra headers, to the daemon at `host`. Off: what is set there is used. */
  send_keys?: boolean;
  /** MCP servers whose tools the model and its Python code may call, each a table `[mcp.NAME]` with `command` and `args`, or `url`. */
  mcp?: string | null;
}

/** All settings, as a client may see them. */
export interface PublicSettings {
  /** The language model's name, or the path of a `.gguf` file. */
  model: string;
  /** Run the model on this machine instead of at a hosted service. */
  local: boolean;
  /** Run the model's code without asking. Off: nothing runs unasked. */
  auto_run: boolean;
  /** Print every step to stderr: request, tokens, cost, code, timings. */
  debug_mode: boolean;
  /** Tokens of a block's output that the model gets to read. */
  max_output: number;
  /** Keep conversations on disk. */
  conversation_history: boolean;
  /** File name of this conversation. Default: its first words and the time. */
  conversation_filename: string | null;
  /** Folder of the conversations. Default: in the application directory. */
  conversation_history_path: string | null;
  /** Randomness of the model, 0 to 2. Default: the model's own. */
  temperature: number | null;
  /** What the model is told before the conversation. */
  system_message: string;
  /** Instructions of yours that are added to the system message. */
  custom_instructions: string;
  /** Give the model the instructions in `AGENTS.md`, if the folder in which code runs has one. */
  agents_md: boolean;
  /** The model's context window in tokens. Default: known by its name. */
  context_window: number | null;
  /** Most tokens that the model may write in one response. Default: its own. */
  max_tokens: number | null;
  /** Base URL of an OpenAI-compatible server. Default: OpenAI's. */
  api_base: string | null;
  /** Whether a key is set. */
  api_key: boolean;
  /** Most US dollars that a session may cost. Default: no limit. */
  max_budget: number | null;
  /** Show tokens and cost after each turn, in the terminal. */
  show_usage: boolean;
  /** Most requests to the model within one turn. */
  max_rounds: number;
  /** How the model is asked to write code: `tools`, legacy `functions`, `markdown` fences, or whichever the server takes (`auto`). */
  tool_style: "auto" | "functions" | "markdown" | "tools";
  /** How long a reasoning model thinks: `none`, `minimal`, `low`, `medium`, `high`, `xhigh`, `max`, or as the model's maker has chosen (`default`). */
  reasoning_effort: "default" | "high" | "low" | "max" | "medium" | "minimal" | "none" | "xhigh";
  /** How much the model says: `low`, `medium`, `high`, or as its maker has chosen (`default`). For models that know it. */
  verbosity: "default" | "high" | "low" | "medium";
  /** Price and speed of the requests: `default`, `flex` (cheaper and slower), `priority` (dearer and faster), or as the account is set (`auto`). */
  service_tier: "auto" | "default" | "flex" | "priority";
  /** More parameters of each request to the model, as a JSON object. They replace ours. */
  extra_body: string | null;
  /** More HTTP headers of each request to the model, as a JSON object. */
  extra_headers: string | null;
  /** How the server is asked: by chat completions (`chat`), by OpenAI's `responses`, or whichever suits the model (`auto`). */
  api: "auto" | "chat" | "responses";
  /** Send pictures that code shows to the model: `on`, `off`, or to models that are known to take them (`auto`). */
  vision: "auto" | "off" | "on";
  /** Python that runs the code. Default: the active virtual environment's. */
  python: string | null;
  /** Seconds for which a block may run; then it is interrupted. Default: no limit. */
  max_seconds: number | null;
  /** Megabytes that a language and what it has started may take; then the largest process is killed. Linux only. Default: no limit. */
  max_memory: number | null;
  /** Keep a standby of Python's process, so that a crash does not lose the variables. Linux only. */
  crash_proof: boolean;
  /** Megabytes of Python's memory above which no standby is kept. */
  crash_proof_memory: number;
  /** Folder in which code runs. Default: where the client is. */
  cwd: string | null;
  /** How code runs: with all of your rights (`none`), writing in its own folder only (`write-protect`), or without network and home folder too (`isolated`). */
  sandbox: "isolated" | "none" | "write-protect";
  /** More folders that code in a sandbox may write in, with a colon between. */
  sandbox_folders: string | null;
  /** Keep what files in the working folder held before each block, so that what code did to them can be seen and undone. */
  keep_files: boolean;
  /** Megabytes of files that are kept for a conversation. */
  keep_files_size: number;
  /** Megabytes above which a file is not kept. */
  keep_files_largest: number;
  /** Most seconds that a block waits until files are kept, which only a conversation's first one usually does. */
  keep_files_wait: number;
  /** Files that are not kept, beside what Git ignores: patterns as in a `.gitignore`, with a comma between. Those with a `!` are kept. */
  keep_files_ignore: string | null;
  /** Environment variables with keys of model servers that code gets all the same, with a comma between. Default: code gets none. */
  pass_keys: string | null;
  /** In the terminal and the library: use the daemon that all clients share, which outlives them, instead of a private one. */
  shared: boolean;
  /** In the terminal and the library: use the daemon on another machine, by its name for ssh, or in a container: `docker:NAME`, `podman:NAME`, `kubectl:NAME`. */
  host: string | null;
  /** Send the key that is set here, and extra headers, to the daemon at `host`. Off: what is set there is used. */
  send_keys: boolean;
  /** MCP servers whose tools the model and its Python code may call, each a table `[mcp.NAME]` with `command` and `args`, or `url`. */
  mcp: string | null;
}

export interface Methods {
  "oi/stream": { params: ChatParams; result: TurnResult };
  "oi/chat": { params: ChatParams; result: TurnResult };
  "oi/execute": { params: ExecuteParams; result: TurnResult };
  "oi/approve": { params: ApproveParams; result: Accepted };
  "oi/input": { params: InputParams; result: Accepted };
  "oi/interrupt": { params: ConversationParams; result: Interrupted };
  "oi/attach": { params: AttachParams; result: Attached };
  "oi/detach": { params: AttachParams; result: Empty };
  "oi/background": { params: ConversationParams; result: InBackground };
  "oi/background/stop": { params: BackgroundStopParams; result: Stopped };
  "oi/close": { params: ConversationParams; result: Empty };
  "oi/history/list": { params: HistoryListParams; result: HistoryPage };
  "oi/history/get": { params: ConversationParams; result: HistoryMessages };
  "oi/history/set": { params: HistorySetParams; result: ConversationResult };
  "oi/history/undo": { params: ConversationParams; result: Removed };
  "oi/history/compact": { params: ConversationParams; result: TurnResult };
  "oi/history/reset": { params: ConversationParams; result: Empty };
  "oi/history/delete": { params: HistoryDeleteParams; result: Deleted };
  "oi/files/list": { params: ConversationParams; result: FileBlocks };
  "oi/files/diff": { params: FilesParams; result: FileDiffs };
  "oi/files/undo": { params: FilesUndoParams; result: FilesUndone };
  "oi/settings/get": { params: ConversationParams; result: PublicSettings };
  "oi/settings/set": { params: SettingsSetParams; result: PublicSettings };
  "oi/languages": { params: NoParams; result: Languages };
  "oi/models": { params: ConversationParams; result: ModelsResult };
  "oi/status": { params: NoParams; result: StatusResult };
  "oi/model/offer": { params: ModelOfferParams; result: Empty };
  "oi/model/reply": { params: ModelReplyParams; result: ModelReplyResult };
  "oi/variables": { params: VariablesParams; result: Variables };
  "oi/inspect": { params: PlaceParams; result: Documentation };
  "oi/complete": { params: PlaceParams; result: Completions };
}
