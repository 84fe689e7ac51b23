// Mirrors oi_daemon/protocol/methods.py. Written by scripts/generate.py: do not edit.

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
  | { notice: { kind: string; message: string; seconds?: number; }; };

export type StoredMessage =
  | { role: "user" | "assistant"; message: string; }
  | { role: "assistant"; language: string; code: string; output?: string; displays?: (Record<string, unknown>)[]; status?: "error" | "interrupted" | "killed" | "declined"; error?: { name?: string; message?: string; traceback?: string[]; }; };

export interface ChatParams {
  message: string;
  conversation?: string | null;
  settings?: Settings;
}

export interface TurnResult {
  conversation: string;
  turn: number;
  status: "budget" | "done" | "interrupted" | "stopped";
  messages: StoredMessage[];
  usage: TurnUsage;
  session: SessionUsage;
  last_seq: number;
}

export interface TurnUsage {
  input_tokens: number;
  output_tokens: number;
  cost: number | null;
}

export interface SessionUsage {
  input_tokens: number;
  output_tokens: number;
  cost: number;
  unpriced: number;
}

export interface ExecuteParams {
  language: string;
  code: string;
  conversation?: string | null;
}

export interface ApproveParams {
  approval: string;
  decision: "always" | "run" | "skip" | "stop";
  conversation?: string | null;
  code?: string | null;
}

export interface Accepted {
  accepted: boolean;
}

export interface InputParams {
  input: string;
  value: string | null;
  conversation?: string | null;
}

export interface ConversationParams {
  conversation?: string | null;
}

export interface Interrupted {
  interrupted: boolean;
}

export interface HistoryListParams {
  limit?: number;
  cursor?: string | null;
  query?: string | null;
  conversation?: string | null;
}

export interface HistoryPage {
  conversations: HistoryEntry[];
  cursor?: string | null;
}

export interface HistoryEntry {
  conversation: string;
  title: string;
  updated: string;
  messages: number;
}

export interface HistoryMessages {
  conversation: string;
  messages: StoredMessage[];
}

export interface HistorySetParams {
  messages: unknown[];
  conversation?: string | null;
  usage?: SessionUsage | null;
}

export interface ConversationResult {
  conversation: string;
}

export interface Removed {
  removed: StoredMessage[];
}

export type Empty = Record<string, never>;

export interface HistoryDeleteParams {
  conversation: string;
}

export interface Deleted {
  deleted: boolean;
}

export interface SettingsSetParams {
  settings: Settings;
  conversation?: string | null;
}

export type NoParams = Record<string, never>;

export interface Languages {
  languages: LanguageEntry[];
}

export interface LanguageEntry {
  name: string;
  aliases: string[];
  available: boolean;
  suffix: string;
  lexer: string;
  vscode: string[];
  neovim: string[];
  why?: string | null;
  path?: string | null;
  version?: string | null;
}

export interface ModelsResult {
  local: LocalServerEntry[];
}

export interface LocalServerEntry {
  api_base: string;
  models: string[];
}

export interface StatusResult {
  version: string;
  pid: number;
  uptime: number;
  memory: number;
  conversations: ConversationStatus[];
  queues: QueueDepths;
  problems: string[];
}

export interface ConversationStatus {
  conversation: string;
  state: ConversationState;
  model: string;
  cost: number;
  usage: SessionUsage;
}

export type ConversationState = "approval" | "idle" | "input" | "retrying" | "running" | "thinking";

export interface QueueDepths {
  requests: number;
  outgoing_bytes: number;
}

export interface ChunkParams {
  conversation: string;
  turn: number;
  seq: number;
  chunk: Chunk;
  state: ConversationState;
  first_seq?: number | null;
  approval?: string | null;
  input?: string | null;
}

export interface Settings {
  model?: string;
  local?: boolean;
  auto_run?: boolean;
  debug_mode?: boolean;
  max_output?: number;
  conversation_history?: boolean;
  conversation_filename?: string | null;
  conversation_history_path?: string | null;
  temperature?: number;
  system_message?: string;
  context_window?: number | null;
  max_tokens?: number | null;
  api_base?: string | null;
  api_key?: string | null;
  max_budget?: number | null;
  max_rounds?: number;
  tool_style?: "auto" | "functions" | "markdown" | "tools";
  vision?: "auto" | "off" | "on";
  python?: string | null;
  max_seconds?: number | null;
  max_memory?: number | null;
  crash_proof?: boolean;
  crash_proof_memory?: number;
  cwd?: string | null;
  sandbox?: "isolated" | "none" | "write-protect";
  sandbox_folders?: string | null;
}

export interface PublicSettings {
  model: string;
  local: boolean;
  auto_run: boolean;
  debug_mode: boolean;
  max_output: number;
  conversation_history: boolean;
  conversation_filename: string | null;
  conversation_history_path: string | null;
  temperature: number;
  system_message: string;
  context_window: number | null;
  max_tokens: number | null;
  api_base: string | null;
  api_key: boolean;
  max_budget: number | null;
  max_rounds: number;
  tool_style: "auto" | "functions" | "markdown" | "tools";
  vision: "auto" | "off" | "on";
  python: string | null;
  max_seconds: number | null;
  max_memory: number | null;
  crash_proof: boolean;
  crash_proof_memory: number;
  cwd: string | null;
  sandbox: "isolated" | "none" | "write-protect";
  sandbox_folders: string | null;
}

export interface Methods {
  "oi/stream": { params: ChatParams; result: TurnResult; };
  "oi/chat": { params: ChatParams; result: TurnResult; };
  "oi/execute": { params: ExecuteParams; result: TurnResult; };
  "oi/approve": { params: ApproveParams; result: Accepted; };
  "oi/input": { params: InputParams; result: Accepted; };
  "oi/interrupt": { params: ConversationParams; result: Interrupted; };
  "oi/history/list": { params: HistoryListParams; result: HistoryPage; };
  "oi/history/get": { params: ConversationParams; result: HistoryMessages; };
  "oi/history/set": { params: HistorySetParams; result: ConversationResult; };
  "oi/history/undo": { params: ConversationParams; result: Removed; };
  "oi/history/reset": { params: ConversationParams; result: Empty; };
  "oi/history/delete": { params: HistoryDeleteParams; result: Deleted; };
  "oi/settings/get": { params: ConversationParams; result: PublicSettings; };
  "oi/settings/set": { params: SettingsSetParams; result: PublicSettings; };
  "oi/languages": { params: NoParams; result: Languages; };
  "oi/models": { params: NoParams; result: ModelsResult; };
  "oi/status": { params: NoParams; result: StatusResult; };
}
