-- Folds chunks into the items of a conversation, as docs/protocol.md says. Pure: no editor in here.
local Lines = require("oi.lines")

-- In a display: a later one of the block with the same id takes its place.
local DISPLAY_ID = "application/vnd.oi.display-id"

---@class oi.Text Text that grows, as lines.
---@field lines string[]
---@field ticks integer The longest run of backticks that a line begins with.
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

---@class oi.Item One message, in the making or complete.
---@field kind "user"|"message"|"code"|"notice"
---@field text? oi.Text Of words.
---@field language? string
---@field code? oi.Text
---@field output? oi.Lines Not there: the code was not run.
---@field displays? oi.Display[]
---@field private written? (string|oi.Display)[] Text and displays in their order.
---@field private last? string The end of the text, in which a control sequence may begin.
---@field active_line? integer
---@field declined? true It was not run, and will not be.

---@class oi.Fold
---@field items oi.Item[]
---@field private open boolean Whether the last item may still grow.
local Fold = {}
Fold.__index = Fold

---@param messages? oi.Message[]
---@return oi.Fold
function Fold.new(messages)
  local self = setmetatable({ items = {}, open = false }, Fold)
  for _, message in ipairs(messages or {}) do
    self:restore(message)
  end
  return self
end

---@param item oi.Item
---@return oi.Item
function Fold:push(item)
  table.insert(self.items, item)
  self.open = true
  return item
end

---@return oi.Item? item The last, if it may still grow and is of this kind.
---@param kind string
function Fold:last(kind)
  local item = self.items[#self.items]
  return self.open and item and item.kind == kind and item or nil
end

--- The last item is finished: what comes next begins another.
function Fold:close()
  local code = self:last("code")
  if code then
    code.active_line = nil
  end
  self.open = false
end

---@param words string
function Fold:ask(words)
  self:push({ kind = "user", text = Text.new(words) })
  self:close()
end

---@private
---@param language string
---@param code? string
---@return oi.Item
function Fold:begin(language, code)
  return self:push({ kind = "code", language = language, code = Text.new(code), displays = {} })
end

--- A display in the output: its plain text, on lines of its own.
---@param display oi.Display
---@return string
local function plain(display)
  local text = display["text/plain"]
  return type(text) == "string" and (text:gsub("\n?$", "\n", 1)) or ""
end

--- Begin an output anew with what is to stay of it.
---@param item oi.Item
---@param written (string|oi.Display)[]
local function rewrite(item, written)
  item.written, item.displays, item.output = written, {}, Lines.new()
  for _, part in ipairs(written) do
    local is_text = type(part) == "string"
    item.output:append(is_text and part or plain(part))
    table.insert(item.displays, not is_text and part or nil)
  end
end

--- What clears the screen takes all before it away.
---@private
---@param text string
function Fold:print(text)
  local item = self:last("code")
  if not item then
    return
  end
  item.output, item.written = item.output or Lines.new(), item.written or {}
  local joined = (item.last or "") .. text
  local cleared = joined:match("^.*\27%[2J(.*)$")
  if cleared then
    rewrite(item, { cleared })
  else
    table.insert(item.written, text)
    item.output:append(text)
  end
  item.last = (cleared or joined):sub(-3)
end

--- A display takes the place of the one with its id.
---@private
---@param display oi.Display
function Fold:show(display)
  local item, id = self:last("code"), display[DISPLAY_ID]
  if not item then
    return
  end
  item.last, item.written = "", item.written or {}
  for i, part in ipairs(item.written) do
    if id and type(part) == "table" and part[DISPLAY_ID] == id then
      item.written[i] = display
      return rewrite(item, item.written)
    end
  end
  item.output = item.output or Lines.new()
  item.output:append(plain(display))
  table.insert(item.written, display)
  table.insert(item.displays, display)
end

---@type table<string, fun(fold: oi.Fold, value: any)>
local add = {
  message = function(fold, text)
    local item = fold:last("message") or fold:push({ kind = "message", text = Text.new() })
    item.text:append(text)
  end,
  language = function(fold, language)
    fold:begin(language)
  end,
  code = function(fold, text)
    local item = fold:last("code") or fold:begin("")
    item.code:append(text)
  end,
  executing = function(fold, block)
    local item = fold:last("code")
    if item and not item.output then
      item.language, item.code = block.language, Text.new(block.code)
    else
      fold:begin(block.language, block.code)
    end
  end,
  output = Fold.print,
  display = Fold.show,
  end_of_execution = function(fold)
    fold:print("")
    fold:close()
  end,
  declined = function(fold)
    local item = fold:last("code")
    if item then
      item.declined = true
    end
    fold:close()
  end,
  input = function() end,
  notice = function() end,
  thinking = function() end,
}

---@param chunk oi.Chunk
function Fold:add(chunk)
  local kind, value = next(chunk)
  if add[kind] then
    add[kind](self, value)
  elseif self:last("code") then
    self:last("code").active_line = type(value) == "number" and value or nil
  end
end

---@private
---@param message oi.Message
function Fold:restore(message)
  if message.code then
    local item = self:begin(message.language, message.code)
    item.output = message.output and Lines.new(message.output)
    item.displays = message.displays or {}
    item.declined = message.status == "declined" or nil
  else
    local kind = message.role == "user" and "user" or "message"
    self:push({ kind = kind, text = Text.new(message.message) })
  end
  self:close()
end

---@return oi.Message[] messages In the stored shape.
function Fold:messages()
  return vim.tbl_map(function(item) ---@param item oi.Item
    if item.kind ~= "code" then
      local role = item.kind == "user" and "user" or "assistant"
      return { role = role, message = tostring(item.text) }
    end
    return {
      role = "assistant",
      language = item.language,
      code = tostring(item.code),
      output = item.output and tostring(item.output):gsub("\n$", "") or nil,
      displays = #item.displays > 0 and item.displays or nil,
      status = item.declined and "declined" or nil,
    }
  end, self.items)
end

return Fold
