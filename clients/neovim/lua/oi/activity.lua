-- What a conversation is doing, in words, by states and chunks. Pure: no editor in here.
local table_of = require("oi.activity_words")

---@class oi.Activity
---@field private kind string Key of a text in `WORDS`.
---@field private now fun(): number The time in seconds.
---@field private language string Language of the block under way.
---@field private since number When this began; while the model writes, when its latest text came.
---@field private deadline number When the model's server is asked again.
local Activity = {}
Activity.__index = Activity

---@param now fun(): number
---@return oi.Activity
function Activity.new(now)
  local self = { kind = "idle", now = now, language = "", since = 0, deadline = 0 }
  return setmetatable(self, Activity)
end

---@private
---@param kind string
function Activity:change(kind)
  if kind ~= self.kind or kind == "retrying" or kind == "writing" then
    self.kind, self.since = kind, self.now()
  end
end

--- Set a state that no chunk has told: at the beginning of a turn, after an answer, at the end.
---@param state oi.ConversationState
function Activity:enter(state)
  local kind = tostring(state)
  self:change(kind == "thinking" and "waiting" or kind)
end

--- Process a chunk.
---@param chunk oi.Chunk
---@param state oi.ConversationState The state that came with it.
function Activity:add(chunk, state)
  local notice = chunk.notice
  if chunk.executing then
    self.language = chunk.executing.language
  end
  if notice and notice.kind == "retry" then
    self.deadline = self.now() + (notice.seconds or 0)
  elseif notice and notice.kind ~= "loading" then
    return
  end
  if state ~= "thinking" then
    self:change(state)
  elseif notice then
    self:change("loading")
  elseif chunk.thinking then
    self:change("thinking")
  elseif chunk.message or chunk.language or chunk.code then
    self:change("writing")
  else
    self:change("waiting")
  end
end

---@param seconds number
---@return string
local function duration(seconds)
  local minutes, rest = math.floor(seconds / 60), seconds % 60
  local phrase = table_of.PHRASES[minutes > 0 and "minutes" or "seconds"]
  return (
    phrase:gsub("{(%w+)}", { minutes = ("%d"):format(minutes), seconds = ("%d"):format(rest) })
  )
end

--- The line that stands for thinking that is over.
---@param seconds number
---@return string
function Activity.thought(seconds)
  local time = duration(math.max(1, math.floor(seconds + 0.5)))
  return (table_of.PHRASES.thought:gsub("{time}", { ["{time}"] = time }))
end

--- How a block ended: empty if it just ran to its end in less than a second.
---@param status "ok"|"error"|"interrupted"|"killed"
---@param seconds? number How long it took, if that is known.
---@return string
function Activity.ended(status, seconds)
  local words = table_of.PHRASES[status] or ""
  local time = seconds and seconds >= 1 and duration(math.floor(seconds + 0.5)) or ""
  if words == "" or time == "" then
    return words .. time
  end
  return (table_of.PHRASES.timed:gsub("{(%w+)}", { words = words, time = time }))
end

--- What the conversation is doing now, with the time that it has taken.
---@param model? string
---@return string
function Activity:words(model)
  local past = self.now() - self.since
  if self.kind == "retrying" and self.now() >= self.deadline then
    self:change("waiting")
    past = 0
  end
  local is_silent = past >= table_of.SILENT
  local kind = self.kind == "writing" and is_silent and "waiting" or self.kind
  local names = {
    model = model and model ~= "" and model or table_of.PHRASES.any_model,
    language = self.language ~= "" and self.language or table_of.PHRASES.any_language,
    time = duration(math.ceil(self.deadline - self.now())),
  }
  local words = (table_of.WORDS[kind] or kind):gsub("{(%w+)}", names)
  local is_timed = kind == "waiting" or kind == "loading" or kind == "thinking" or kind == "running"
  if not is_timed or not is_silent then
    return words
  end
  names = { words = words, time = duration(math.floor(past)) }
  return (table_of.PHRASES.timed:gsub("{(%w+)}", names))
end

return Activity
