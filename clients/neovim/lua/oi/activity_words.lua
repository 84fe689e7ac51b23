-- What a conversation is doing, in words. Written by scripts/generate: do not edit.
local M = {}

---@type table<string, string>
M.WORDS = {
  idle = "ready",
  waiting = "waiting for {model}",
  loading = "loading the local model",
  thinking = "thinking",
  writing = "writing",
  approval = "waiting for your yes",
  running = "running {language}",
  input = "waiting for your input",
  retrying = "trying again in {time}",
}

---@type table<string, string>
M.PHRASES = {
  any_model = "the model",
  any_language = "code",
  timed = "{words}, {time}",
  seconds = "{seconds} s",
  minutes = "{minutes} min {seconds} s",
  thought = "thought for {time}",
  error = "✗ failed",
  interrupted = "interrupted",
  killed = "✗ process ended",
}

-- Seconds after which the time is shown, and a model that was writing is waited for again.
M.SILENT = 3

return M
