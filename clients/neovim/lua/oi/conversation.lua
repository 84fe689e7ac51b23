-- A conversation: its messages and its state, as the daemon tells them. What a person can do with
-- it is in `oi.actions`. It knows no buffer: whoever shows it watches it.
local Activity = require("oi.activity")
local config = require("oi.config")
local daemon = require("oi.daemon")
local Fold = require("oi.fold")
local uv = vim.uv --[[@as oi.Uv]]

---@class oi.Input A request of the running code for a line.
---@field id string
---@field prompt string
---@field password boolean

---@class oi.Event What happened to a turn.
---@field kind string
---@field message? string The person's words, or the error's text.
---@field approval? string
---@field input? string
---@field status? string How the turn ended.

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
---@field outcome? oi.Item How the last turn or request ended, if not in the plain way.
---@field offered string[] Models that its server offered last.
---@field waiting oi.Item[] The person's words that wait for the end of the turn.
---@field package ask fun(conversation: oi.Conversation, words: string) Set by `oi.actions`.
---@field package once_idle fun()[] Each is called when nothing is under way.
---@field package watchers table<any, fun()> Called after each change, by their owner.
---@field package settings oi.Settings Its own settings. They are given to a new daemon too.
---@field is_loading boolean Whether its messages are being read from the daemon.
---@field package is_asking boolean Whether the turn under way was asked for here.
---@field private early? oi.ChunkParams[] Chunks that came while the messages were being read.
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
      offered = {},
      waiting = {},
      once_idle = {},
      watchers = {},
      settings = {},
      is_loading = false,
      is_asking = false,
      failed = false,
      seq = 0,
    }, Conversation)
    all[self.id] = self
    self:send_settings({ cwd = self.cwd })
    if id then
      self.is_loading = true
      self:attach()
    else
      daemon.request("oi/attach", { conversation = self.id }) -- there is nothing to read
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

--- Forget a conversation that nobody shows and that does nothing. The daemon keeps it.
function Conversation:release()
  if not next(self.watchers) and not self:is_busy() and self ~= latest then
    all[self.id] = nil
    daemon.request("oi/detach", { conversation = self.id })
  end
end

---@param observe fun(params: oi.ChunkParams)
---@return fun() stop
function Conversation.observe(observe)
  observers[observe] = true
  return function()
    observers[observe] = nil
  end
end

--- Call a function after each change.
---@param owner any What it is for. It has one function.
---@param changed? fun() Nil: no longer.
function Conversation:watch(owner, changed)
  self.watchers[owner] = changed
end

function Conversation:changed()
  for _, changed in pairs(self.watchers) do
    changed()
  end
end

--- Show how the last turn or request ended.
---@private
---@param text? string
---@param is_error? boolean
function Conversation:end_with(text, is_error)
  self.outcome = text and Fold.item("notice", text)
  if self.outcome and not is_error then
    self.outcome.topic = "end"
  end
end

---@param err? oi.Error
function Conversation:show_error(err)
  self:end_with(err and err.message, true)
  self:changed()
end

--- Trigger a User event.
---@param name string
---@param data table
local function emit(name, data)
  vim.api.nvim_exec_autocmds("User", { pattern = name, modeline = false, data = data })
end

--- Set a state that no chunk has told: at the beginning of a turn, after an answer, at the end.
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

--- Whether a turn is under way, or the messages before it are still being read.
---@return boolean
function Conversation:is_busy()
  return self.state ~= "idle" or self.is_loading
end

--- Keep words until the turn under way has ended.
---@param words string
function Conversation:queue(words)
  table.insert(self.waiting, Fold.item("user", words))
  self:changed()
end

--- Take what waits, to send or to edit it.
---@return string? words Nil: nothing waits.
function Conversation:take_waiting()
  local words = vim.tbl_map(function(item)
    return tostring(item.text)
  end, self.waiting)
  self.waiting = {}
  self:changed()
  return words[1] and table.concat(words, "\n\n")
end

--- Remove the last message, if the daemon has dropped it.
function Conversation:retract_failed()
  if self.failed then
    self.fold:retract()
  end
end

---@package
---@param first string
function Conversation:begin(first)
  self:set_title(first)
  self:enter("thinking")
  self.outcome, self.failed = nil, false
end

--- Prepare for a turn; the caller sends the request for it.
---@param first string What was said or run. Its first line becomes the title.
---@param is_question? boolean Whether it was said: if another client was faster, it waits.
---@return fun(err?: oi.Error, result?: oi.TurnResult) callback
function Conversation:begin_turn(first, is_question)
  self:begin(first)
  self.is_asking = true
  return function(err, result)
    self.is_asking = false
    if is_question and err and err.data and err.data.kind == "busy" then
      self:queue(first)
      return self:attach()
    end
    self:finish_turn(err, result)
  end
end

---@private
---@param text string
function Conversation:set_title(text)
  if self.title == "" then
    self.title = vim.trim(text):match("[^\n]*")
  end
end

---@package
---@param err? oi.Error
---@param result? { status: string, usage?: oi.TurnUsage }
function Conversation:finish_turn(err, result)
  self:enter("idle")
  self.approval, self.input = nil, nil
  self.fold:close()
  self.fold:remove_notices("retry")
  if result then
    self.cost = self.cost + (result.usage and result.usage.cost or 0)
    self:end_with(OUTCOMES[result.status])
  elseif err then
    local text = err.message
    if err.data and err.data.kind == "no_model" then
      self.offered = err.data.models or {}
      text = text .. "\n`:OI model` chooses one for this conversation."
    end
    self:end_with(text, true)
    self.failed = self.fold:is_unanswered()
  end
  local is_done = result and result.status == "done"
  self.once_idle = is_done and self.once_idle or {}
  self:changed()
  emit("OITurnEnd", { conversation = self.id, status = result and result.status, error = err })
  if is_done then
    self:go_on()
  end
end

--- Do what has waited, if nothing is under way.
---@private
function Conversation:go_on()
  while not self:is_busy() and self.once_idle[1] do
    table.remove(self.once_idle, 1)()
  end
  local words = not self:is_busy() and self:take_waiting()
  if words then
    self:ask(words)
  end
end

--- Call a function once nothing is under way.
---@param callback fun()
function Conversation:when_idle(callback)
  table.insert(self.once_idle, callback)
  self:changed()
end

--- What a turn tells that another client may have asked for, by its kind.
---@type table<string, fun(conversation: oi.Conversation, event: oi.Event)>
local events = {
  begun = function(self, event)
    if not self.is_asking then
      self:begin(event.message or "")
      if event.message then
        self.fold:ask(event.message)
      end
      self:changed()
    end
  end,
  answered = function(self, event)
    if event.approval and event.approval == self.approval then
      self.approval = nil
      self:enter("running")
    elseif event.input and self.input and event.input == self.input.id then
      self.input = nil
      self:enter("running")
    end
    self:changed()
  end,
  ended = function(self, event)
    if self.is_asking then
      return -- the answer to the request tells more
    elseif event.status == "failed" then
      self:finish_turn({ message = event.message or "" })
    else
      self:finish_turn(nil, { status = tostring(event.status) })
    end
  end,
  changed = function(self)
    self:attach()
  end,
}

---@package
---@param params oi.ChunkParams
function Conversation:receive(params)
  local chunk, input = params.chunk, params.chunk.input
  if self.early then
    return table.insert(self.early, params)
  elseif params.seq <= self.seq then
    return -- read already, as part of the history
  end
  if chunk.event then
    self.seq = params.seq
    return events[chunk.event.kind](self, chunk.event)
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

--- What the daemon tells of a conversation, as it is shown.
---@param attached oi.Attached
---@return oi.Fold
local function fold_of(attached)
  local fold, turn = Fold.new(attached.messages, now), attached.turn
  if turn then
    for i = 1, turn.finished do
      fold:restore(turn.messages[i])
    end
    for _, chunk in ipairs(turn.unfinished) do
      fold:add(chunk)
    end
    fold:add({ active_line = turn.active_line })
  end
  return fold
end

--- Read the conversation from the daemon, and follow it from now on, whoever asks. What is shown
--- stays if it is the same, because more than the daemon keeps is shown.
---@param is_new? boolean Whether the daemon is new. Then it stays if the daemon knows less, too.
function Conversation:attach(is_new)
  self.early = self.early or {}
  daemon.request("oi/attach", { conversation = self.id }, function(err, result)
    local early = self.early or {}
    self.is_loading, self.early = false, nil
    if not result then
      return self:show_error(err)
    end
    if not (self.is_asking and result.state == "idle") then -- else a turn was asked for after it
      self:take(result, is_new)
    end
    for _, params in ipairs(early) do
      self:receive(params)
    end
    local first = self.fold.items[1]
    if first then
      self:set_title(tostring(first.text))
    end
    self:apply_settings(result.settings)
    self:go_on()
  end)
end

--- Take the messages and the state of a conversation, and what waits in it for a person.
---@private
---@param attached oi.Attached
---@param is_new? boolean See `attach`.
function Conversation:take(attached, is_new)
  local read, turn = fold_of(attached), attached.turn or {}
  local is_same = is_new or #read:messages() == #self.fold:messages()
  if not (is_same and self.fold:begins_with(read)) then
    self.fold = read
  end
  self.seq, self.failed = attached.last_seq, false
  self:enter(attached.state)
  self.approval, self.input = turn.approval and turn.approval.id, turn.input
end

--- Take what is shown of the settings.
---@private
---@param settings oi.PublicSettings
function Conversation:apply_settings(settings)
  self.model, self.auto_run = settings.model, settings.auto_run
  self:changed()
end

--- Take the answer to a request for settings.
---@private
---@return fun(err?: oi.Error, result?: oi.PublicSettings)
function Conversation:settings_callback()
  return function(err, result)
    if result then
      self:apply_settings(result)
    else
      self:show_error(err)
    end
  end
end

function Conversation:read_settings()
  daemon.request("oi/settings/get", { conversation = self.id }, self:settings_callback())
end

--- Set settings of this conversation.
---@param settings oi.Settings
function Conversation:send_settings(settings)
  self.settings = vim.tbl_extend("force", self.settings, settings)
  local own = config.options.settings
  settings = vim.tbl_extend("force", settings, { cwd = own.cwd or settings.cwd })
  local params = { conversation = self.id, settings = settings }
  daemon.request("oi/settings/set", params, self:settings_callback())
end

--- Read all conversations from a new daemon, which knows only what was saved. What has been said
--- and written besides stays to be read.
function Conversation.reload_all()
  for _, conversation in pairs(all) do
    conversation.seq = 0
    conversation:send_settings(conversation.settings)
    conversation.is_loading = true
    conversation:attach(true)
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
