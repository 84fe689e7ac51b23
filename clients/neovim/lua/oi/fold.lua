-- Folds chunks into the items of a conversation, as docs/protocol.md says. Pure: no editor in here.
local Lines = require("oi.lines")

-- A display that has this key replaces an earlier one of the block with the same value.
local DISPLAY_ID = "application/vnd.oi.display-id"

---@alias oi.Display table<string, any> A Jupyter MIME bundle; binary data as base64.

---@class oi.Text Text that grows, as lines.
---@field lines string[]
---@field ticks integer Length of the longest run of backticks at the beginning of a line.
local Text = {}
Text.__index = Text

---@param text? string
---@return oi.Text
function Text.new(text)
  local self = setmetatable({ lines = { "" }, ticks = 0 }, Text)
  self:append(text or "")
  return self
end

---@param text string
function Text:append(text)
  local lines, last, start = self.lines, #self.lines, 1
  repeat
    local stop = text:find("\n", start, true)
    lines[last] = lines[last] .. text:sub(start, stop and stop - 1)
    self.ticks = math.max(self.ticks, #lines[last]:match("^%s*(`*)"))
    if stop then
      last, start = last + 1, stop + 1
      lines[last] = ""
    end
  until not stop
end

function Text:__tostring()
  return table.concat(self.lines, "\n")
end

---@class oi.Item A message, complete or still growing, or what stands between messages.
---@field kind "user"|"message"|"code"|"notice"|"thinking"
---@field text oi.Text What was said. Of a block: its code.
---@field language string Of a block; otherwise empty.
---@field output? oi.Lines What a block wrote. Nil: it has not run.
---@field displays oi.Display[] What a block displayed.
---@field status? "error"|"interrupted"|"killed"|"declined" How a block ended, if it matters.
---@field error? oi.BlockError The error that ended a block, if its language tells it.
---@field active_line? integer The line that runs now.
---@field last_line? integer The line that ran last.
---@field topic? string Kind of a notice, such as `retry`.
---@field began? number When this thinking began, in seconds.
---@field seconds? number How long this thinking or block took. Nil: it goes on, or is not known.
---@field plain? oi.PlainOutput Cache of the layout.
---@field files? table<oi.Display, string|false> Files in which the displays were saved.
---@field pictures? string[] The same files, in their order.
---@field package written? (string|oi.Display)[] Text and displays of the output, in their order.
---@field package last? string End of the written text, where a control sequence may have begun.

---@class oi.Fold
---@field items oi.Item[]
---@field is_open boolean Whether the last item may still grow.
---@field package now fun(): number The time in seconds.
---@field package aside? oi.Item Thinking in the midst of an item, shown once that item has ended.
local Fold = {}
Fold.__index = Fold

---@param messages? oi.StoredMessage[]
---@param now? fun(): number The time in seconds.
---@return oi.Fold
function Fold.new(messages, now)
  local self = setmetatable({ items = {}, is_open = false, now = now or os.time }, Fold)
  for _, message in ipairs(messages or {}) do
    self:restore(message)
  end
  return self
end

---@param kind "user"|"message"|"code"|"notice"|"thinking"
---@param text? string
---@return oi.Item
local function new_item(kind, text)
  return { kind = kind, text = Text.new(text), language = "", displays = {} }
end

Fold.item = new_item

---@package
---@param item oi.Item
---@return oi.Item
function Fold:push(item)
  self:end_thinking()
  table.insert(self.items, self.aside)
  self.aside = nil
  table.insert(self.items, item)
  self.is_open = true
  return item
end

--- The last item, if it may still grow and is of this kind.
---@param kind string
---@return oi.Item?
function Fold:last(kind)
  local item = self.items[#self.items]
  return self.is_open and item and item.kind == kind and item or nil
end

--- Thinking has led to something: it is complete.
---@package
function Fold:end_thinking()
  local thinking = self.aside or self:last("thinking")
  if thinking then
    thinking.seconds = self.now() - (thinking.began or 0)
  end
end

--- Finish the last item. What comes next begins another. Thinking that led to nothing is removed.
function Fold:close()
  if self:last("thinking") then
    table.remove(self.items)
  end
  self.aside = nil
  local code = self:last("code")
  if code then
    code.active_line = nil
  end
  self.is_open = false
end

--- Add the person's own message.
---@param words string
function Fold:ask(words)
  self:push(new_item("user", words))
  self:close()
end

--- Remove the last message of the person, and all that stands after it.
function Fold:retract()
  repeat
    local item = table.remove(self.items)
  until not item or item.kind == "user"
end

--- Whether an item is part of the conversation. Notices and thinking are only shown.
---@param item oi.Item
---@return boolean
function Fold.is_message(item)
  return item.kind ~= "notice" and item.kind ~= "thinking"
end

--- Whether no message followed the last one of the person.
---@return boolean
function Fold:is_unanswered()
  for i = #self.items, 1, -1 do
    if Fold.is_message(self.items[i]) then
      return self.items[i].kind == "user"
    end
  end
  return false
end

---@package
---@param language string
---@param code? string
---@return oi.Item
function Fold:begin(language, code)
  local item = self:push(new_item("code", code))
  item.language = language
  return item
end

--- What a display adds to the output: its plain text, on lines of its own.
---@param display oi.Display
---@return string
local function plain(display)
  local text = display["text/plain"]
  return type(text) == "string" and (text:gsub("\n?$", "\n", 1)) or ""
end

--- Begin an output anew with these parts.
---@param item oi.Item
---@param written (string|oi.Display)[]
local function rewrite(item, written)
  local output = Lines.new()
  item.written, item.displays, item.output = written, {}, output
  for _, part in ipairs(written) do
    if type(part) == "string" then
      output:append(part)
    else
      output:append(plain(part))
      table.insert(item.displays, part)
    end
  end
end

--- Append to the output. A sequence that clears the screen removes all that is before it.
---@package
---@param text string
function Fold:print(text)
  local item = self:last("code")
  if not item then
    return
  end
  local output = item.output or Lines.new()
  item.output, item.written = output, item.written or {}
  local joined = (item.last or "") .. text
  local cleared = joined:match("^.*\27%[2J(.*)$")
  if cleared then
    rewrite(item, { cleared })
  else
    table.insert(item.written, text)
    output:append(text)
  end
  item.last = (cleared or joined):sub(-3)
end

--- Add a display, or replace the one that has the same id.
---@package
---@param display oi.Display
function Fold:show(display)
  local item, id = self:last("code"), display[DISPLAY_ID]
  if not item then
    return
  end
  local written = item.written or {}
  item.last, item.written = "", written
  for i, part in ipairs(written) do
    if id and type(part) == "table" and part[DISPLAY_ID] == id then
      written[i] = display
      return rewrite(item, written)
    end
  end
  local output = item.output or Lines.new()
  item.output = output
  output:append(plain(display))
  table.insert(written, display)
  table.insert(item.displays, display)
end

--- Add a notice. An open item goes on below it, so that only the last item ever grows.
---@package
---@param topic string
---@param text string
function Fold:notice(topic, text)
  local item, at = new_item("notice", text), #self.items + (self.is_open and 0 or 1)
  item.topic = topic
  local before = self.items[at - 1]
  local replaces = topic == "retry" and before and before.topic == "retry"
  if replaces then
    self.items[at - 1] = item
  else
    table.insert(self.items, at, item)
  end
end

--- Add thinking. It does not part what the model was writing.
---@package
---@param text string
function Fold:think(text)
  local item = self.aside or self:last("thinking")
  if not item then
    item = new_item("thinking")
    item.began = self.now()
    if self.is_open then
      self.aside = item
    else
      self:push(item)
    end
  end
  item.text:append(text)
end

--- Remove notices, because they are no longer true or have been read.
---@param topic? string Only those of this topic.
function Fold:remove_notices(topic)
  for i = #self.items, 1, -1 do
    local its_topic = self.items[i].topic
    if its_topic and its_topic == (topic or its_topic) then
      table.remove(self.items, i)
    end
  end
end

---@type table<string, fun(fold: oi.Fold, value: any, result?: oi.BlockResult)>
local add = {
  message = function(fold, text)
    local open = fold:last("message")
    if open then
      fold.aside = nil
    end
    local item = open or fold:push(new_item("message"))
    item.text:append(text)
  end,
  language = function(fold, language)
    fold:begin(language)
  end,
  code = function(fold, text)
    local item = fold:last("code") or fold:begin("")
    item.text:append(text)
  end,
  executing = function(fold, block)
    local item = fold:last("code")
    if item and not item.output then
      item.language, item.text = block.language, Text.new(block.code)
    else
      fold:begin(block.language, block.code)
    end
  end,
  active_line = function(fold, line)
    local item = fold:last("code")
    if item then
      item.active_line, item.last_line = line, line or item.last_line
    end
  end,
  output = Fold.print,
  display = Fold.show,
  end_of_execution = function(fold, _, result)
    fold:print("")
    local item = fold:last("code")
    if item and result then
      item.status = result.status ~= "ok" and result.status or nil
      item.error, item.seconds = result.error, result.seconds
    end
    fold:close()
  end,
  declined = function(fold)
    local item = fold:last("code")
    if item then
      item.status = "declined"
    end
    fold:close()
  end,
  notice = function(fold, notice)
    if notice.kind == "retry" and fold:last("thinking") then
      fold:close() -- the model will think anew
    end
    if notice.kind ~= "loading" then -- the state says so as long as it lasts
      fold:notice(notice.kind, notice.message)
    end
  end,
  thinking = Fold.think,
}

--- Add a chunk. Kinds that add nothing to what is shown, and unknown ones, are ignored.
---@param chunk oi.Chunk
---@param result? oi.BlockResult What comes with the end of a block.
function Fold:add(chunk, result)
  local kind, value = next(chunk)
  if not kind then
    add.active_line(self, nil) -- `{"active_line": null}`: null fields are not there in Lua
  elseif add[kind] then
    add[kind](self, value, result)
  end
end

--- Add a message that is complete.
---@param message oi.StoredMessage
function Fold:restore(message)
  if message.code then
    local item = self:begin(message.language or "", message.code)
    item.output = message.output and Lines.new(message.output)
    item.displays = message.displays or {}
    item.status, item.error = message.status, message.error
  else
    self:push(new_item(message.role == "user" and "user" or "message", message.message))
  end
  self:close()
end

---@param item oi.Item
---@return oi.StoredMessage
local function stored(item)
  if item.kind ~= "code" then
    local role = item.kind == "user" and "user" or "assistant"
    return { role = role, message = tostring(item.text) }
  end
  return {
    role = "assistant",
    language = item.language,
    code = tostring(item.text),
    output = item.output and tostring(item.output):gsub("\n$", "") or nil,
    displays = #item.displays > 0 and item.displays or nil,
    status = item.status,
    error = item.error,
  }
end

--- The messages in the shape in which they are stored.
---@return oi.StoredMessage[]
function Fold:messages()
  local messages = {}
  for _, item in ipairs(self.items) do
    if Fold.is_message(item) then
      table.insert(messages, stored(item))
    end
  end
  return messages
end

--- Whether another fold has no more than the beginning of this one.
---@param other oi.Fold
---@return boolean
function Fold:begins_with(other)
  local own = self:messages()
  for i, message in ipairs(other:messages()) do
    local here, there = own[i] or {}, message.message or message.code or ""
    local text, output = here.message or here.code or "", here.output or ""
    local is_part = here.role == message.role and vim.startswith(text, there)
    if not is_part or not vim.startswith(output, message.output or "") then
      return false
    end
  end
  return true
end

return Fold
