-- Output as it looks in a terminal (docs/protocol.md, "Output as lines"). Pure.

local FARTHEST = 999 -- the last column to which a sequence can move the cursor
local STEPS = { -- rows down and columns right, by the sequence's last character
  A = { -1, 0 },
  B = { 1, 0 },
  C = { 0, 1 },
  D = { 0, -1 },
  E = { 1, 0 },
  F = { -1, 0 },
}

---@class oi.Lines
---@field private rows string[]
---@field private row integer Number of the cursor's row, from 1.
---@field private pieces string[] Text of that row: in any pieces, or in cells once `column` is set.
---@field private column? integer The cursor's column, from 0. Nil: it is at the end of its row.
---@field private colour string Escape codes of colours for the next cell, or for the row's end.
---@field private changed boolean Whether text was overwritten, which leaves blanks at line ends.
---@field private unfinished string Beginning of a sequence whose rest has not arrived.
---@field private in_string boolean Whether a string, such as a title, has begun and not ended.
local Lines = {}
Lines.__index = Lines

---@param text? string
---@return oi.Lines
function Lines.new(text)
  local self = setmetatable({ unfinished = "", in_string = false }, Lines)
  self:begin()
  self:append(text or "")
  return self
end

---@private
function Lines:begin()
  self.rows, self.row, self.pieces, self.column = { "" }, 1, {}, nil
  self.colour, self.changed = "", false
end

--- A row as cells: characters, each with the colours before it.
---@param row string
---@return string[]
local function cells(row)
  local found, colour, at = {}, "", 1
  while at <= #row do
    local _, stop = row:find("^\27%[[%d;:]*m", at)
    if stop then
      colour = colour .. row:sub(at, stop)
    else
      _, stop = row:find("^[^\128-\191][\128-\191]*", at)
      stop = stop or at
      table.insert(found, colour .. row:sub(at, stop))
      colour = ""
    end
    at = stop + 1
  end
  if #found > 0 then
    found[#found] = found[#found] .. colour
  end
  return found
end

--- Store the text of the cursor's row.
---@private
function Lines:keep_row()
  self.rows[self.row] = table.concat(self.pieces) .. self.colour
end

---@return string[] lines Not to be changed.
function Lines:all()
  self:keep_row()
  if not self.changed then
    return self.rows
  end
  return vim.tbl_map(function(row)
    return (row:gsub(" +$", ""))
  end, self.rows)
end

function Lines:__tostring()
  return table.concat(self:all(), "\n")
end

--- The cursor's column. Turns the cursor's row into cells.
---@private
---@return integer
function Lines:here()
  if not self.column then
    local row = table.concat(self.pieces)
    self.pieces = cells(row)
    self.column = #self.pieces
    self.colour = self.column == 0 and row or ""
  end
  return self.column
end

--- Move the cursor, within the rows that exist.
---@private
---@param row integer
---@param column integer
function Lines:go(row, column)
  self:here()
  row = math.min(math.max(row, 1), #self.rows)
  if row ~= self.row then
    self:keep_row()
    self.row, self.colour = row, ""
    self.pieces = cells(self.rows[row])
  end
  self.column = math.min(math.max(column, 0), math.max(FARTHEST, #self.pieces))
end

---@private
function Lines:end_line()
  if self.row < #self.rows then
    return self:go(self.row + 1, 0)
  end
  self:keep_row()
  table.insert(self.rows, "")
  self.row, self.pieces, self.column, self.colour = #self.rows, {}, nil, ""
end

---@private
---@param text string
function Lines:put(text)
  if not self.column then
    return table.insert(self.pieces, text)
  end
  for at = #self.pieces + 1, self.column do
    self.pieces[at] = " "
  end
  for _, cell in ipairs(cells(text)) do
    self.column = self.column + 1
    self.pieces[self.column], self.colour = self.colour .. cell, ""
  end
  self.changed = true
end

---@private
---@param colour string
function Lines:paint(colour)
  if self.column then
    self.colour = self.colour .. colour
  else
    table.insert(self.pieces, colour)
  end
end

--- Erase a part of the cursor's row.
---@private
---@param which integer 0: from the cursor on. 1: up to the cursor. 2: all.
function Lines:erase(which)
  local column = self:here()
  if which == 0 then
    self.pieces = vim.list_slice(self.pieces, 1, column)
  elseif which == 1 then
    for at = 1, column + 1 do
      self.pieces[at] = " "
    end
  elseif which == 2 then
    self.pieces = {}
  end
  self.changed = true
end

--- Carry out a control sequence.
---@private
---@param numbers string
---@param final string Its last character, which says what it does.
function Lines:control(numbers, final)
  local first = tonumber(numbers:match("^%d+")) or 0
  local second = tonumber(numbers:match("^[^;]*;(%d+)")) or 0
  ---@cast first integer
  ---@cast second integer
  local count, step = math.max(first, 1), STEPS[final]
  if step then
    local column = (final == "E" or final == "F") and 0 or self:here()
    self:go(self.row + step[1] * count, column + step[2] * count)
  elseif final == "G" then
    self:go(self.row, count - 1)
  elseif final == "H" or final == "f" then
    self:go(count, math.max(second, 1) - 1)
  elseif final == "K" then
    self:erase(first)
  elseif final == "J" and first == 0 then
    self:erase(0)
    self.rows = vim.list_slice(self.rows, 1, self.row)
  elseif final == "J" and first == 2 then
    self:begin()
  end
end

--- Process an escape sequence.
---@private
---@param text string
---@param at integer Where it begins.
---@return integer? next Where the rest begins. Nil: the sequence is not complete.
function Lines:escape(text, at)
  local _, stop, numbers, final = text:find("^\27%[([0-?]*)[ -/]*([@-~])", at)
  if final == "m" and numbers and numbers:find("^[%d;:]*$") then
    self:paint(text:sub(at, stop))
  elseif final then
    self:control(numbers or "", final)
  elseif text:find("^\27%[?[0-?]*[ -/]*$", at) then
    return nil
  else
    self.in_string = text:find("^[%]PX^_]", at + 1) ~= nil
    _, stop = text:find("^\27[ -/]*[0-~]", at)
  end
  return (stop or at) + 1
end

--- Process the next piece of the text.
---@private
---@param text string
---@param at integer Where it begins.
---@return integer? next Where the rest begins. Nil: a sequence is not complete.
function Lines:process(text, at)
  if self.in_string then
    local _, stop, bell = text:find("^[^\7\27\n]*(\7?)", at)
    self.in_string = stop == #text and bell == ""
    return (stop or at) + 1
  end
  local _, stop = text:find("^[\t\32-\126\128-\255]+", at)
  local control = text:sub(at, at)
  if stop then
    self:put(text:sub(at, stop))
  elseif control == "\27" then
    return self:escape(text, at)
  elseif control == "\n" then
    self:end_line()
  elseif control == "\r" then
    self:go(self.row, 0)
  elseif control == "\b" then
    self:go(self.row, self:here() - 1)
  end
  return (stop or at) + 1
end

--- Process more output.
---@param text string
function Lines:append(text)
  text, self.unfinished = self.unfinished .. text, ""
  local at = 1 ---@type integer?
  while at and at <= #text do
    local after = self:process(text, at)
    if not after then
      self.unfinished = text:sub(at)
    end
    at = after
  end
end

return Lines
