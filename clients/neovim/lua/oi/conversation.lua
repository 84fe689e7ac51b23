-- A conversation: its messages, its state, and what a person can do with it.
-- It knows no buffer: the view that shows it sets `changed`, which is called after each change.
local Activity = require("oi.activity")
local config = require("oi.config")
local daemon = require("oi.daemon")
local Fold = require("oi.fold")
local notify = require("oi.notify")
local uv = vim.uv --[[@as oi.Uv]]

---@class oi.Input A request of the running code for a line.
---@field id string
---@field prompt string
---@field password boolean

---@class oi.Conversation
---@field id string
---@field cwd string Folder in which its code runs.
---@field fold oi.Fold
---@field state oi.ConversationState What it is doing, by the daemon's latest message.
---@field activity oi.Activity The same in words.
---@field auto_run boolean Whether its code runs without a question.
---@field title string
---@field model? string
---@field cost number US dollars, as far as known.
---@field approval? string Id of the block that waits for an answer.
---@field input? oi.Input What the running code waits for.
---@field outcome? string How the last turn or request ended, if not in the plain way: for a person.
---@field offered string[] Models that its server offered last.
---@field changed fun(conversation: oi.Conversation)
---@field package settings oi.Settings Its own settings. They are given to a new daemon too.
---@field private failed boolean Whether the last message got no answer, and the daemon dropped it.
---@field package seq integer `seq` of the last chunk.
local Conversation = {}
Conversation.__index = Conversation

---@type table<string, oi.Conversation>
local all = {}
---@type oi.Conversation?
local latest
---@type table<fun(params: oi.ChunkParams), true>
local observers = {}
---@type integer[] When the daemon crashed, in milliseconds.
local crashes = {}

local OUTCOMES = { interrupted = "Interrupted.", stopped = "Stopped." }

--- The time in seconds.
---@return number
local function now()
  return uv.now() / 1000
end

---@return string id Six letters or digits.
local function new_id()
  return (
    uv.random(6):gsub(".", function(byte)
      local digit = byte:byte() % 36
      return string.char(digit < 10 and 48 + digit or 87 + digit)
    end)
  )
end

--- The conversation of this id. Without an id, a new one.
---@param id? string
---@return oi.Conversation
function Conversation.get(id)
  local self = id and all[id]
  if not self then
    self = setmetatable({
      id = id or new_id(),
      cwd = vim.fn.getcwd(),
      fold = Fold.new(nil, now),
      state = "idle",
      activity = Activity.new(now),
      auto_run = false,
      title = "",
      cost = 0,
      changed = function() end,
      offered = {},
      settings = {},
      failed = false,
      seq = 0,
    }, Conversation)
    all[self.id] = self
    self:send_settings({ cwd = self.cwd })
    if id then
      self:load()
    end
  end
  latest = self
  return self
end

--- The conversation that was used last.
---@return oi.Conversation?
function Conversation.latest()
  return latest
end

---@param observe fun(params: oi.ChunkParams)
---@return fun() stop
function Conversation.observe(observe)
  observers[observe] = true
  return function()
    observers[observe] = nil
  end
end

---@package
---@param err? oi.Error
function Conversation:show_error(err)
  self.outcome = err and err.message
  self:changed()
end

--- Trigger a User event.
---@param name string
---@param data table
local function emit(name, data)
  vim.api.nvim_exec_autocmds("User", { pattern = name, modeline = false, data = data })
end

--- Set a state that no chunk has told: at the beginning of a turn, after an answer, at the end.
---@private
---@param state oi.ConversationState
function Conversation:enter(state)
  self.state = state
  self.activity:enter(state)
end

--- What it is doing, in words.
---@return string
function Conversation:words()
  return self.activity:words(self.model)
end

---@return boolean
function Conversation:is_busy()
  return self.state ~= "idle"
end

--- Whether a turn is under way. If so, a notification says so.
---@return boolean
function Conversation:refuses()
  if self:is_busy() then
    notify("a turn is under way: wait for it, or stop it (:OI stop).")
  end
  return self:is_busy()
end

--- Prepare for a turn; the caller sends the request for it.
---@private
---@return fun(err?: oi.Error, result?: oi.TurnResult) callback
function Conversation:begin_turn()
  self:enter("thinking")
  self.outcome, self.failed = nil, false
  return function(err, result)
    self:finish_turn(err, result)
  end
end

--- Make the first line that was said or run the title.
---@private
---@param text string
function Conversation:set_title(text)
  if self.title == "" then
    self.title = vim.trim(text):match("[^\n]*")
  end
end

--- Ask the model.
---@param words string
function Conversation:ask(words)
  if self:refuses() then
    return
  end
  if self.failed then
    self.fold:retract()
  end
  self:set_title(words)
  self.fold:remove_notices() -- they have been read
  self.fold:ask(words)
  local callback = self:begin_turn()
  daemon.request("oi/stream", { conversation = self.id, message = words }, callback)
  self:changed()
end

--- Run code of the person's own.
---@param language string
---@param code string
function Conversation:execute(language, code)
  if self:refuses() then
    return
  end
  self:set_title(code)
  local params = { conversation = self.id, language = language, code = code }
  daemon.request("oi/execute", params, self:begin_turn())
  self:changed()
end

---@private
---@param err? oi.Error
---@param result? oi.TurnResult
function Conversation:finish_turn(err, result)
  self:enter("idle")
  self.approval, self.input = nil, nil
  self.fold:close()
  self.fold:remove_notices("retry")
  if result then
    self.cost = self.cost + (result.usage.cost or 0)
    self.outcome = OUTCOMES[result.status]
  elseif err then
    self.outcome = err.message
    if err.data and err.data.kind == "no_model" then
      self.offered = err.data.models or {}
      self.outcome = err.message .. "\n`:OI model` chooses one for this conversation."
    end
    self.failed = self.fold:is_unanswered()
  end
  self:changed()
  emit("OITurnEnd", { conversation = self.id, status = result and result.status, error = err })
end

---@package
---@param params oi.ChunkParams
function Conversation:receive(params)
  local chunk, input = params.chunk, params.chunk.input
  if params.seq <= self.seq then
    return -- read already, as part of the history
  end
  if chunk.background then -- it belongs to no turn
    self.seq = params.seq
    return
  end
  if self.state == "retrying" and params.state ~= "retrying" then
    self.fold:remove_notices("retry")
  end
  self.seq, self.state = params.seq, params.state
  self.activity:add(chunk, self.state)
  if config.options.thinking or not chunk.thinking then
    self.fold:add(chunk, params.result)
  end
  self.approval = self.state == "approval" and (params.approval or self.approval) or nil
  self.input = self.state == "input" and self.input or nil
  if input and params.input then
    self.input = { id = params.input, prompt = input.prompt, password = input.password }
  end
  self:changed()
end

--- Answer for the block that waits.
---@param decision "run"|"skip"|"stop"|"always"
---@param code? string Runs in place of the model's.
function Conversation:approve(decision, code)
  local approval = self.approval
  if not approval then
    return notify("no block waits for an answer.")
  end
  local runs = decision == "run" or decision == "always"
  self.approval = nil
  self:enter(runs and "running" or "thinking")
  local params = {
    conversation = self.id,
    approval = approval,
    decision = decision,
    code = runs and code or nil,
  }
  daemon.request("oi/approve", params, function(err)
    if err then
      self:show_error(err)
    elseif decision == "always" then
      self:read_settings()
    end
  end)
  self:changed()
end

--- Give the running code a line. Without one, tell it that the input has ended.
---@param line? string
function Conversation:answer(line)
  local input = self.input
  if not input then
    return
  end
  self.input = nil
  self:enter("running")
  local value = line or vim.NIL --[[@as string]]
  local params = { conversation = self.id, input = input.id, value = value }
  daemon.request("oi/input", params, function(err)
    if err then
      self:show_error(err)
    end
  end)
  self:changed()
end

--- Stop the turn, whatever it is doing.
function Conversation:interrupt()
  if self:is_busy() then
    daemon.request("oi/interrupt", { conversation = self.id }, function(err)
      if err then
        self:show_error(err)
      end
    end)
  end
end

--- Read the messages from the daemon.
function Conversation:load()
  daemon.request("oi/history/get", { conversation = self.id }, function(err, result)
    if not result then
      return self:show_error(err)
    end
    self.fold = Fold.new(result.messages, now)
    self.failed = false
    local first = self.fold.items[1]
    if first then
      self:set_title(tostring(first.text))
    end
    self:changed()
  end)
end

--- Remove the last message of the person and all that answered it.
function Conversation:undo()
  if self:refuses() then
    return
  end
  self.outcome = nil
  daemon.request("oi/history/undo", { conversation = self.id }, function(err)
    if err then
      return self:show_error(err)
    end
    self:load()
  end)
end

--- Begin anew: no messages, fresh interpreters, and a question before each block.
function Conversation:reset()
  if self:refuses() then
    return
  end
  self.outcome, self.title = nil, ""
  daemon.request("oi/history/reset", { conversation = self.id }, function(err)
    if err then
      return self:show_error(err)
    end
    self:load()
    self:read_settings()
  end)
end

--- Take what is shown of the settings.
---@private
---@param settings oi.PublicSettings
function Conversation:apply_settings(settings)
  self.model, self.auto_run = settings.model, settings.auto_run
  self:changed()
end

---@private
function Conversation:read_settings()
  daemon.request("oi/settings/get", { conversation = self.id }, function(err, result)
    if not result then
      return self:show_error(err)
    end
    self:apply_settings(result)
  end)
end

--- Set settings of this conversation.
---@param settings oi.Settings
function Conversation:send_settings(settings)
  self.settings = vim.tbl_extend("force", self.settings, settings)
  local own = config.options.settings
  settings = vim.tbl_extend("force", settings, { cwd = own.cwd or settings.cwd })
  local params = { conversation = self.id, settings = settings }
  daemon.request("oi/settings/set", params, function(err, result)
    if not result then
      return self:show_error(err)
    end
    self:apply_settings(result)
  end)
end

--- Read all conversations from a new daemon, which knows only what was saved.
function Conversation.reload_all()
  for _, conversation in pairs(all) do
    conversation.seq = 0
    conversation:send_settings(conversation.settings)
    conversation:load()
  end
end

--- Count a crash.
---@return boolean too_often Whether the daemon should not be started again.
local function count_crash()
  table.insert(crashes, uv.now())
  return #crashes > 3 and crashes[#crashes] - crashes[#crashes - 3] < 60000
end

daemon.listen({
  chunk = function(params)
    local conversation = all[params.conversation]
    if conversation then
      conversation:receive(params)
    end
    emit("OIChunk", params)
    for observe in pairs(observers) do
      observe(params)
    end
  end,
  crash = function(why)
    for _, conversation in pairs(all) do
      conversation:show_error({ message = why })
    end
    if not count_crash() then
      Conversation.reload_all()
    end
  end,
})

return Conversation
