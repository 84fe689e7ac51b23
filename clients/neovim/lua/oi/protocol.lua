---@meta
-- Mirrors docs/protocol.md, version 1: what travels between the daemon and this client.
-- `null` in an object arrives as a missing field.

---@class oi.ChunkParams Params of the one notification, `oi/chunk`.
---@field conversation string
---@field turn integer
---@field seq integer
---@field first_seq? integer The first one's, where neighbouring chunks were joined.
---@field chunk oi.Chunk
---@field state oi.State The conversation's state after this chunk.
---@field approval? string On `executing`: nothing runs until this id is approved.
---@field input? string On `input`: the id that `oi/input` names.

---@class oi.Chunk Exactly one field; none at all is `active_line: null`.
---@field message? string
---@field language? string
---@field code? string
---@field executing? { code: string, language: string }
---@field active_line? integer
---@field output? string
---@field display? oi.Display
---@field input? { prompt: string, password: boolean }
---@field end_of_execution? true
---@field declined? { by: "skip"|"stop"|"gone" }
---@field thinking? string
---@field notice? { kind: string, message: string, seconds?: number }

---@alias oi.Display table<string, any> A Jupyter MIME bundle; binary data as base64.

---@class oi.Message As stored: words of either side, or the assistant's code.
---@field role "user"|"assistant"
---@field message? string
---@field language? string
---@field code? string
---@field output? string Left out when the code was not run.
---@field displays? oi.Display[]
---@field status? "error"|"interrupted"|"killed"|"declined"

---@class oi.TurnResult
---@field conversation string
---@field turn integer
---@field status "done"|"interrupted"|"stopped"|"budget"
---@field messages oi.Message[] Those that the turn added.
---@field usage { input_tokens: integer, output_tokens: integer, cost?: number }
---@field last_seq integer

---@class oi.HistoryEntry
---@field conversation string
---@field title string
---@field updated string
---@field messages integer

---@class oi.Error
---@field message string What happened, and what to do about it.
---@field code? integer
---@field data? { kind: string, models?: string[] }

---@alias oi.Decision "run"|"skip"|"stop"|"always"
