-- What a buffer shows of a conversation: its items as blocks of lines. Draws what has changed.
local Fold = require("oi.fold")
local decorate = require("oi.decorate")
local languages = require("oi.languages")
local layout = require("oi.layout")
local picture = require("oi.picture")
local syntax = require("oi.syntax")
local window = require("oi.window")

---@class oi.Drawing
---@field rows integer[] First row of each block, from 0.
---@field blocks oi.Block[] What has been drawn, in its order.
---@field private buf integer
---@field private fold oi.Fold What was drawn last.
---@field private pictures table<string, oi.Placement>
local Drawing = {}
Drawing.__index = Drawing

---@param buf integer
---@return oi.Drawing
function Drawing.new(buf)
  local self = setmetatable({ buf = buf, pictures = {} }, Drawing)
  self:clear()
  return self
end

---@private
---@param first integer
---@param last integer
---@param lines string[]
function Drawing:set_lines(first, last, lines)
  vim.bo[self.buf].modifiable = true
  vim.api.nvim_buf_set_lines(self.buf, first, last, false, lines)
  vim.bo[self.buf].modifiable = false
  vim.bo[self.buf].modified = false
end

function Drawing:clear()
  self.fold, self.rows, self.blocks = Fold.new(), {}, {}
  self:close_pictures()
  vim.api.nvim_buf_clear_namespace(self.buf, -1, 0, -1)
  self:set_lines(0, -1, {})
end

function Drawing:close_pictures()
  picture.place(self.buf, self.pictures, {})
end

--- What is shown: the conversation, how its last turn ended, and words that wait.
---@param conversation oi.Conversation
---@return oi.Item[]
local function items_of(conversation)
  local items = vim.list_slice(conversation.fold.items)
  table.insert(items, conversation.outcome)
  return vim.list_extend(items, conversation.waiting)
end

---@param conversation oi.Conversation
function Drawing:update(conversation)
  if self.fold ~= conversation.fold then
    self:clear()
  end
  self.fold = conversation.fold
  self:draw_items(conversation, items_of(conversation))
  self:draw_active_line()
  self:place_pictures()
end

--- How many lines two blocks begin with that are the same.
---@param one? oi.Block
---@param other? oi.Block
---@return integer
local function equal_lines(one, other)
  local lines, others, same = one and one.lines or {}, other and other.lines or {}, 0
  while same < #lines and lines[same + 1] == others[same + 1] do
    same = same + 1
  end
  return same
end

--- Remove blocks.
---@private
---@param from integer Number of the first.
---@return string[] lines All of theirs.
function Drawing:take(from)
  local lines = self.blocks[from] and self.blocks[from].lines or {}
  if #self.blocks > from then
    lines = vim.list_slice(lines)
  end
  for i = from, #self.rows do
    if i > from then
      vim.list_extend(lines, self.blocks[i].lines)
    end
    self.rows[i], self.blocks[i] = nil, nil
  end
  return lines
end

--- Write the lines that differ from those in the buffer. Only items from the last unchanged one on
--- can differ, because only the fold's last item grows.
---@private
---@param conversation oi.Conversation
---@param items oi.Item[]
function Drawing:draw_items(conversation, items)
  local from = math.max(1, math.min(#self.rows, #items, #conversation.fold.items))
  while from > 1 and self.blocks[from - 1].item ~= items[from - 1] do
    from = from - 1 -- an item was removed, or a notice came before the last one
  end
  local start, before = self.rows[from] or 0, self.blocks[from]
  local old = self:take(from)
  for i = from, #items do
    local row = i == from and start or self.rows[i - 1] + #self.blocks[i - 1].lines
    self.rows[i], self.blocks[i] = row, self:block(conversation, i, items[i])
  end
  local same = equal_lines(before, self.blocks[from])
  local new = self.blocks[from] and vim.list_slice(self.blocks[from].lines, same + 1) or {}
  for i = from + 1, #items do
    vim.list_extend(new, self.blocks[i].lines)
  end
  if not vim.deep_equal(new, vim.list_slice(old, same + 1)) then
    self:set_lines(start + same, start + #old, new)
    syntax.grown(self.buf, start + same + #new)
  end
  if before and self.blocks[from] and before.item == self.blocks[from].item then
    self.blocks[from].is_folded = before.is_folded
  end
  decorate.clear(self.buf, start + same, start)
  for i = from, #items do
    decorate.block(self.buf, self.rows[i], self.blocks[i], start + same)
    self:fold_block(i)
  end
end

---@private
---@param conversation oi.Conversation
---@param i integer
---@param item oi.Item
---@return oi.Block
function Drawing:block(conversation, i, item)
  if item.kind ~= "code" then
    local block = layout.block(item)
    block.note = vim.list_contains(conversation.waiting, item) and "waits for the turn's end" or nil
    return block
  end
  picture.save(item)
  syntax.add(self.buf, languages.filetype(item.language))
  local block = layout.block(item, item.pictures)
  local is_over = i < #conversation.fold.items or not conversation:is_busy()
  if item.status == "declined" then
    block.rules[0] = ("⊘ %s · declined"):format(item.language)
  elseif is_over and not item.output then
    block.rules[0] = item.language .. " · not run"
  end
  return block
end

--- Fold thinking, and a long output but for its beginning and end, once they are complete.
---@private
---@param i integer
function Drawing:fold_block(i)
  local block = self.blocks[i]
  local is_growing = i == #self.fold.items and self.fold.is_open
  local can_fold = block.output[1] or block.item.kind == "thinking"
  if can_fold and not block.is_folded and not is_growing then
    block.is_folded = true
    for _, win in ipairs(vim.fn.win_findbuf(self.buf)) do
      window.fold(win, self.rows[i], block)
    end
  end
end

---@private
function Drawing:draw_active_line()
  local count = #self.fold.items
  local item, block = self.fold.items[count], self.blocks[count]
  local line, row = item and item.active_line, nil
  if line and line <= #item.text.lines then
    row = self.rows[count] + block.code[1] + line - 1
  end
  decorate.active_line(self.buf, row)
end

---@private
function Drawing:place_pictures()
  local rows = {}
  for i, block in ipairs(self.blocks) do
    for row, path in pairs(block.pictures) do
      rows[path] = self.rows[i] + row
    end
  end
  picture.place(self.buf, self.pictures, rows)
end

--- Rows of the code of the fold's last item: the first, and the one after the last.
---@return integer? first Nil: it is no code.
---@return integer after
function Drawing:last_code()
  local count = #self.fold.items
  local block = self.blocks[count]
  if not block or not block.code[1] then
    return nil, 0
  end
  return self.rows[count] + block.code[1], self.rows[count] + block.code[2]
end

--- The item that a row of the buffer belongs to.
---@param row integer
---@return oi.Item?
function Drawing:item_at(row)
  for i = #self.rows, 1, -1 do
    if self.rows[i] <= row then
      return self.blocks[i].item
    end
  end
end

--- The row of the person's next message, or of the one before.
---@param row integer Where to look from.
---@param forward boolean
---@return integer? row
function Drawing:message_from(row, forward)
  local target
  for i, block in ipairs(self.blocks) do
    local start = self.rows[i]
    if block.item.kind == "user" and (forward and start > row or not forward and start < row) then
      target = start
      if forward then
        break
      end
    end
  end
  return target
end

return Drawing
