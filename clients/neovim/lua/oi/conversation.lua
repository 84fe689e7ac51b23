-- A conversation: what was said and run, what it is doing, and what a person can do with it.
-- It knows no buffer: whoever shows it is told by `changed`.
local config = require("oi.config")
local daemon = require("oi.daemon")
local Fold = require("oi.fold")
local tell = require("oi.tell")

---@alias oi.State "idle"|"thinking"|"approval"|"running"|"input"|"retrying"

---@class oi.Conversation
---@field id string
---@field cwd string Where its code runs.
---@field fold oi.Fold
---@field state oi.State
---@field title string
---@field model? string
---@field cost number US dollars, as far as known.
---@field approval? string Of the block that waits.
---@field input? { id: string, prompt: string, password: boolean }
---@field notice? string What went wrong, in words.
---@field offered string[] Models that its server was last seen to have.
---@field changed fun(conversation: oi.Conversation)
---@field private settings table<string, any> Those of its own, given again to a new daemon.
---@field private failed boolean The last words went unheard: the daemon did not keep them.
---@field private seq integer
local Conversation = {}
Conversation.__index = Conversation

---@type table<string, oi.Conversation>
local all = {}
---@type oi.Conversation?
local latest
---@type table<function, true>
local observers = {}
---@type number[]
local crashes = {}

---@return string id Six letters or digits.
local function new_id()
  return (
    vim.uv.random(6):gsub(".", function(byte)
      local digit = byte:byte() % 36
      return string.char(digit < 10 and 48 + digit or 87 + digit)
    end)
  )
end

---@param id? string Of one that is saved; none: a new one.
---@return oi.Conversation
function Conversation.get(id)
  local self = id and all[id]
  if not self then
    self = setmetatable({
      id = id or new_id(),
      cwd = vim.fn.getcwd(),
      fold = Fold.new(),
      state = "idle",
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

---@return oi.Conversation? latest The one that was used last.
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

---@private
---@param method string
---@param params? table
---@param callback? fun(result: any)
function Conversation:request(method, params, callback)
  params = vim.tbl_extend("error", { conversation = self.id }, params or {})
  daemon.request(method, params, function(err, result)
    if err then
      self.notice = err.message
      self:changed()
    elseif callback then
      callback(result)
    end
  end)
end

---@private
---@param name string
---@param data table
local function fire(name, data)
  vim.api.nvim_exec_autocmds("User", { pattern = name, modeline = false, data = data })
end

---@return boolean
function Conversation:busy()
  return self.state ~= "idle"
end

---@private
---@param method string
---@param params table
function Conversation:begin(method, params)
  self.state, self.notice, self.failed = "thinking", nil, false
  params.conversation = self.id
  daemon.request(method, params, function(err, result)
    self:finish(err, result)
  end)
  self:changed()
end

---@return boolean refused A turn is under way; the person is told.
function Conversation:refused()
  if self:busy() then
    tell("a turn is under way: wait for it, or stop it (:OI stop).")
  end
  return self:busy()
end

--- Its title is the first line that was said or run.
---@private
---@param text string
function Conversation:entitle(text)
  if self.title == "" then
    self.title = vim.trim(text):match("[^\n]*")
  end
end

---@param words string
function Conversation:ask(words)
  if self:refused() then
    return
  end
  if self.failed then
    table.remove(self.fold.items)
  end
  self:entitle(words)
  self.fold:ask(words)
  self:begin("oi/stream", { message = words })
end

---@param language string
---@param code string
function Conversation:execute(language, code)
  if not self:refused() then
    self:entitle(code)
    self:begin("oi/execute", { language = language, code = code })
  end
end

---@private
---@param err? oi.Error
---@param result? oi.TurnResult
function Conversation:finish(err, result)
  self.state, self.approval, self.input = "idle", nil, nil
  self.fold:close()
  local items = self.fold.items
  if err then
    self.notice = err.message
    if err.data and err.data.kind == "no_model" then
      self.offered = err.data.models or {}
      self.notice = err.message .. "\n`:OI model` chooses one for this conversation."
    end
    self.failed = #items > 0 and items[#items].kind == "user"
  else
    self.cost = self.cost + (result.usage.cost or 0)
    self.notice = ({ interrupted = "Interrupted.", stopped = "Stopped." })[result.status]
  end
  self:changed()
  fire("OITurnEnd", { conversation = self.id, status = result and result.status, error = err })
end

---@private
---@param params oi.ChunkParams
function Conversation:receive(params)
  local chunk = params.chunk
  if params.seq <= self.seq then
    return -- read already, as part of the history
  end
  self.seq = params.seq
  self.fold:add(chunk)
  self.approval, self.input = params.approval, nil
  if params.approval then
    self.state = "approval"
  elseif chunk.input then
    self.state = "input"
    self.input = vim.tbl_extend("error", { id = params.input }, chunk.input)
  elseif chunk.message or chunk.language or chunk.code or chunk.end_of_execution then
    self.state = "thinking"
  else
    self.state = "running"
  end
  self:changed()
end

---@param decision oi.Decision
---@param code? string Runs in place of the model's.
function Conversation:approve(decision, code)
  if not self.approval then
    return tell("no block waits for an answer.")
  end
  local params = { approval = self.approval, decision = decision, code = code }
  self.approval, self.state = nil, "running"
  self:request("oi/approve", params)
  self:changed()
end

---@param line? string None: the end of the input.
function Conversation:answer(line)
  local input = self.input
  if input then
    self.input, self.state = nil, "running"
    self:request("oi/input", { input = input.id, value = line or vim.NIL })
    self:changed()
  end
end

function Conversation:interrupt()
  if self:busy() then
    self:request("oi/interrupt")
  end
end

--- Show what the daemon has of it.
function Conversation:load()
  self:request("oi/history/get", {}, function(result)
    self.fold = Fold.new(result.messages)
    self.failed = false
    local first = self.fold.items[1]
    if first then
      self:entitle(tostring(first.text or first.code))
    end
    self:changed()
  end)
end

function Conversation:undo()
  if not self:refused() then
    self.notice = nil
    self:request("oi/history/undo", {}, function()
      self:load()
    end)
  end
end

function Conversation:reset()
  if not self:refused() then
    self.notice, self.title = nil, ""
    self:request("oi/history/reset", {}, function()
      self:load()
    end)
  end
end

---@param settings table<string, any>
function Conversation:send_settings(settings)
  self.settings = vim.tbl_extend("force", self.settings, settings)
  local own = config.options.settings
  settings = vim.tbl_extend("force", settings, { cwd = own.cwd or settings.cwd })
  self:request("oi/settings/set", { settings = settings }, function(result)
    self.model = result.model
    self:changed()
  end)
end

--- A new daemon knows nothing but what is saved.
function Conversation.renew()
  for _, conversation in pairs(all) do
    conversation.seq = 0
    conversation:send_settings(conversation.settings)
    conversation:load()
  end
end

--- Whether it has crashed too often of late to be started again.
---@return boolean
local function hopeless()
  table.insert(crashes, vim.uv.now())
  return #crashes > 3 and crashes[#crashes] - crashes[#crashes - 3] < 60000
end

daemon.listen({
  chunk = function(params)
    local conversation = all[params.conversation]
    if conversation then
      conversation:receive(params)
    end
    fire("OIChunk", params)
    for observe in pairs(observers) do
      observe(params)
    end
  end,
  crash = function(why)
    for _, conversation in pairs(all) do
      conversation.notice = why
      conversation:changed()
    end
    if not hopeless() then
      Conversation.renew()
    end
  end,
})

return Conversation
